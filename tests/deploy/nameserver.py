"""A real name server on loopback that knows what a test tells it."""

import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class Nameserver:
    """Answers over UDP from `records`: `(name, type) -> values`; everything else does not exist. Use it in a `with`."""

    def __init__(self, records: dict[tuple[str, str], list[str]]) -> None:
        self.records = records
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name="nameserver", daemon=True)

    def __enter__(self) -> "Nameserver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(65536)
            if not data:
                return
            query = dns.message.from_wire(data)
            question = query.question[0]
            name = question.name.to_text(omit_final_dot=True)
            kind = dns.rdatatype.to_text(question.rdtype)
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            values = self.records.get((name, kind))
            if values:
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
            elif not any(known == name for known, _ in self.records):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self._socket.sendto(answer.to_wire(), client)

"""Publishing by HTTP POST on one kept connection, to servers that are published to that way."""

import socket
import time


class Poster:
    """Speaks to one server; `post` returns once it has answered with a 2xx."""

    def __init__(self, host: str, port: int) -> None:
        self._host = f"{host}:{port}"
        self._socket = socket.create_connection((host, port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: str) -> float:
        """The time just before the request was written."""
        request = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        began = time.monotonic()
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._read()
        head, _, rest = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"publishing was answered with {head[:40]!r}")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        while len(rest) < length:
            rest += self._read()
        return began

    def unicast_to(self, posts: dict[int, tuple[str, str]], rate: float) -> dict[int, float]:
        """Post to each path its body at an even pace; the times just before, by the same keys."""
        start, sent = time.monotonic(), {}
        for number, (mark, (path, body)) in enumerate(posts.items()):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            sent[mark] = self.post(path, body)
        return sent

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise RuntimeError("the server closed the publisher's connection")
        return data

"""The other side of a delivery: receivers that only count, each a process of its own, told over its pipes what to do."""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import cast

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.bench.processes import ROOT

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Total:
    """What has arrived; `last` is a reading of the monotonic clock that all processes share."""

    count: int = 0
    last: float = 0.0
    sample: str = ""

    def add(self, content: bytes) -> None:
        self.count += 1
        self.last = time.monotonic()
        if not self.sample:
            self.sample = content.decode("latin-1")


class Sink:
    """A receiver process, seen from the benchmark. `kind` is `http` or `smtp`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __enter__(self) -> "Sink":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sinks", self._kind],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.port = int(self._line())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()  # the end of its stdin is the end of it

    def reset(self) -> None:
        """Begin to count anew."""
        self._command("reset")

    def total(self) -> Total:
        """What has arrived since the last reset."""
        return Total(**json.loads(self._command("total")))

    def _command(self, word: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        return self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the {self._kind} receiver ended")
        return line


class HttpProtocol(asyncio.Protocol):
    """Answers 200 to every request, on kept connections."""

    def __init__(self, receiver: "Receiver") -> None:
        self._receiver = receiver
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = int(head.partition(b"\r\ncontent-length:")[2].split(b"\r\n", 1)[0] or 0)
        if len(self._buffer) < end + 4 + length:
            return
        self._receiver.total.add(self._buffer[end + 4 :])
        self._buffer = b""
        self._transport.write(_ANSWER)


class Receiver:
    """Counts for both protocols; for aiosmtpd it is the handler."""

    def __init__(self) -> None:
        self.total = Total()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]  # as every relay of today

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.total.add(cast(bytes, envelope.original_content))
        return "250 OK"

    async def serve(self, kind: str) -> None:
        """Listen, say where, and obey until stdin ends."""
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            if kind == "http":
                return HttpProtocol(self)
            return SMTP(self, hostname="sink.test", enable_SMTPUTF8=True, loop=loop)

        server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        commands = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        async for line in commands:
            if line.strip() == b"reset":
                self.total = Total()
            print(json.dumps(asdict(self.total)), flush=True)


if __name__ == "__main__":
    uvloop.run(Receiver().serve(sys.argv[1]))

"""Other sides for the transports' tests: real servers, and scripted ones for what no decent server does."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class TcpServer:
    """A listening server and what came to it."""

    port: int
    connections: int = 0
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Released once per connection."""


@contextlib.asynccontextmanager
async def tcp_server(handle: Handle, *, receive_buffer_bytes: int | None = None) -> AsyncIterator[TcpServer]:
    """Runs `handle` per connection; at the end every connection is cut."""
    tasks: set[asyncio.Task[Any]] = set()
    writers: list[asyncio.StreamWriter] = []
    server = TcpServer(0)

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.append(writer)
        server.connections += 1
        server.arrived.release()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handle(reader, writer)
        writer.close()

    sock = socket.socket()
    if receive_buffer_bytes is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    sock.bind(("127.0.0.1", 0))
    listener = await asyncio.start_server(on_connection, sock=sock)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Mailbox:
    """The handler of an aiosmtpd server: keeps envelopes, answers RCPT and DATA as told."""

    envelopes: list[Envelope] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    rcpt_answer: str = "250 OK"
    data_answer: str = "250 2.0.0 queued as 1"
    offers: list[str] = field(default_factory=list)
    """Extensions said after EHLO, beyond what aiosmtpd says."""

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(f"250-{offer}" for offer in self.offers), responses[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        self.sessions.append(session)
        return self.data_answer


@dataclass
class MailServer:
    """A running aiosmtpd server."""

    port: int
    mailbox: Mailbox
    transports: list[asyncio.Transport]
    left: asyncio.Event
    """Set once a client has closed its connection."""

    @property
    def encrypted(self) -> list[bool]:
        """Whether each mail came by TLS."""
        return [session.ssl is not None for session in self.mailbox.sessions]

    def drop_connections(self) -> None:
        """Close every connection from the server's side."""
        for transport in self.transports:
            transport.close()


@contextlib.asynccontextmanager
async def mail_server(port: int = 0, **options: Any) -> AsyncIterator[MailServer]:
    """A real SMTP server on this loop."""
    loop = asyncio.get_running_loop()
    mailbox = Mailbox()
    transports: list[asyncio.Transport] = []
    left = asyncio.Event()

    class Remembering(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transports.append(transport)  # type: ignore[arg-type]
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            left.set()
            super().connection_lost(error)

    listener = await loop.create_server(
        lambda: Remembering(mailbox, loop=loop, hostname="mx.test", **options), "127.0.0.1", port
    )
    try:
        yield MailServer(listener.sockets[0].getsockname()[1], mailbox, transports, left)
    finally:
        listener.close()
        for transport in transports:
            transport.abort()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


CLOSE = b""
HANG = b"hang"


def smtp_script(**answers: bytes) -> Handle:
    """An SMTP server that answers each verb with the given bytes, CLOSE or HANG (`final`: after the dot)."""
    said = {
        "greeting": b"220 mx.test\r\n",
        "EHLO": b"250 mx.test\r\n",
        "MAIL": b"250 OK\r\n",
        "RCPT": b"250 OK\r\n",
        "DATA": b"354 go\r\n",
        "final": b"250 OK\r\n",
        "RSET": b"250 OK\r\n",
        "QUIT": b"221 bye\r\n",
        **answers,
    }

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        step = "greeting"
        while True:
            answer = said[step]
            if answer == HANG:
                await asyncio.Event().wait()
            if answer == CLOSE:
                return
            writer.write(answer)
            if step == "DATA" and answer.startswith(b"354"):
                await reader.readuntil(b"\r\n.\r\n")
                step = "final"
                continue
            step = (await reader.readuntil(b"\r\n"))[:4].decode().upper()

    return handle


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One HTTP request, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    return head + await reader.readexactly(length)


def http_script(*answers: bytes, hang_after: bool = False) -> Handle:
    """An HTTP server that reads one request per connection, writes the answers, then closes or hangs."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for answer in answers:
            writer.write(answer)
            await writer.drain()
        if hang_after:
            await asyncio.Event().wait()

    return handle

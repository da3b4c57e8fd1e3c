"""uvicorn's WebSocket protocol, kept small for sockets that are idle nearly always and written to at once when they are not.

The stock class stays in charge of everything; here its attributes lie in slots instead of a dictionary, a queue of one
reader and an event take the place of asyncio's (whose deques alone are 3.8 KB of every socket), the handshake is let go of once it
is answered, and `write_text` sends a frame without a task. Measured with `make bench-sockets`: 20.5 KB became 12.
uvicorn is pinned; `tests/deploy/test_socket_protocol.py` tells when a release has other attributes.
"""

import asyncio
from collections import deque
from collections.abc import MutableMapping
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.protocol import OPEN

_SHORT: Final = 126
_LONG: Final = 1 << 16
_MOST_FRAGMENTS: Final = 1000
_TEXT: Final = 0x81  # final frame, opcode 1


class Latch:
    """What uvicorn uses of `asyncio.Event`."""

    __slots__ = ("_is_set", "_loop", "_waiters")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop  # asking for the running one is a system call in Python 3.11
        self._is_set = True
        self._waiters: list[asyncio.Future[None]] | None = None

    def set(self) -> None:
        self._is_set = True
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    async def wait(self) -> bool:
        while not self._is_set:
            waiter = self._loop.create_future()
            if self._waiters is None:
                self._waiters = []
            self._waiters.append(waiter)
            await waiter
        return True


class Mailbox:
    """What uvicorn uses of `asyncio.Queue`, for one reader."""

    __slots__ = ("_items", "_loop", "_reader")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: deque[MutableMapping[str, Any]] | None = None
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, item: MutableMapping[str, Any]) -> None:
        if self._items is None:
            self._items = deque()
        self._items.append(item)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def empty(self) -> bool:
        return not self._items

    async def get(self) -> MutableMapping[str, Any]:
        while not self._items:
            self._items = None
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        item = self._items.popleft()
        if not self._items:
            self._items = None
        return item


class LeanSocketProtocol(WebSocketsSansIOProtocol):
    """For `uvicorn.Config(ws=...)`."""

    __slots__ = (
        "_is_open", "app", "app_state", "asgi_version", "client", "close_sent", "close_timeout", "close_timer", "config", "conn",
        "connections", "curr_msg_data_type", "default_headers", "disconnected", "frames", "handshake_complete",
        "handshake_initiated", "initial_response", "last_ping_rtt", "logger", "loop", "pending_ping_payload",
        "ping_interval", "ping_sent_at", "ping_timeout", "ping_timer", "pong_timer", "queue", "read_paused", "request",
        "response", "root_path", "scheme", "scope", "server", "tasks", "transport", "writable",
    )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_open = False
        self.queue: Any = Mailbox(self.loop)
        self.writable: Any = Latch(self.loop)

    async def send(self, message: Any) -> None:
        await super().send(message)
        self._look()
        if message["type"] == "websocket.accept" and self.handshake_complete:
            # What the handshake was about, for nobody asks again.
            self.request = self.response = self.scope = None  # type: ignore[assignment]

    def shutdown(self) -> None:
        super().shutdown()
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._look()

    def pause_writing(self) -> None:
        """Who does not read is not read from: answers to its pings would fill our memory."""
        super().pause_writing()
        self._is_open = False
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def handle_cont(self, event: Any) -> None:
        # Empty fragments count nothing against the size of a message.
        if len(self.frames) >= _MOST_FRAGMENTS:
            self.conn.fail(CloseCode.POLICY_VIOLATION, "too many fragments")
            self.handle_parser_exception()
        else:
            super().handle_cont(event)

    def write_text(self, text: bytes) -> bool:
        """Send one text frame (UTF-8) now; False when it has to wait its turn, or the socket is on its way to be closed."""
        if not self._is_open:
            return False
        size = len(text)
        if size < _SHORT:
            head = bytes((_TEXT, size))
        elif size < _LONG:
            head = bytes((_TEXT, _SHORT)) + size.to_bytes(2, "big")
        else:
            head = bytes((_TEXT, _SHORT + 1)) + size.to_bytes(8, "big")
        self.transport.write(head + text)
        return True

    def _look(self) -> None:
        """Keep in one place whether frames may be written: of ten thousand sockets each further object is a cache miss."""
        self._is_open = (
            self.conn.state is OPEN
            and self.handshake_complete
            and not self.close_sent
            and not self.disconnected
            and self.writable.is_set()
        )

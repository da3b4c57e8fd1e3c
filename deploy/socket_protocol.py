"""uvicorn's WebSocket protocol, kept small for sockets that are idle nearly always and written to at once when they are not.

The stock class stays in charge of everything; here its attributes lie in slots instead of a dictionary, a queue of one
reader and an event take the place of asyncio's (whose deques alone are 3.8 KB of every socket), an opening handshake without
anything unusual is answered as the HTTP parser has read it (`open_plainly`) and then let go of, and `write_text` sends a frame without
a task. Measured with `make bench-sockets`: 20.5 KB became 9.
uvicorn is pinned; `tests/deploy/test_socket_protocol.py` tells when a release has other attributes.
"""

import asyncio
import logging
from collections import deque
from collections.abc import MutableMapping
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode
from websockets.protocol import OPEN, SERVER, Protocol
from websockets.server import ServerProtocol

_SHORT: Final = 126
_LONG: Final = 1 << 16
_MOST_FRAGMENTS: Final = 1000
_TEXT: Final = 0x81  # final frame, opcode 1
_SWITCHING: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
)

_log: Final = logging.getLogger("uvicorn.error")


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
        "_accept", "_is_open", "app", "app_state", "asgi_version", "client", "close_sent", "close_timeout", "close_timer", "config", "conn",
        "connections", "curr_msg_data_type", "default_headers", "disconnected", "frames", "handshake_complete",
        "handshake_initiated", "initial_response", "last_ping_rtt", "logger", "loop", "pending_ping_payload",
        "ping_interval", "ping_sent_at", "ping_timeout", "ping_timer", "pong_timer", "queue", "read_paused", "request",
        "response", "root_path", "scheme", "scope", "server", "tasks", "transport", "writable",
    )  # fmt: skip

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """What the stock one does, but for what takes the place of its parts."""
        self.config = config
        self.app = config.loaded_app
        self.loop = _loop or asyncio.get_running_loop()
        self.logger = _log
        self.root_path = config.root_path
        self.asgi_version = config.asgi_version
        self.app_state = app_state
        self.connections, self.tasks = server_state.connections, server_state.tasks
        self.default_headers = server_state.default_headers
        self.transport = self.server = self.client = self.scheme = None  # type: ignore[assignment]
        self.queue: Any = Mailbox(self.loop)
        self.writable: Any = Latch(self.loop)
        self.handshake_initiated = self.handshake_complete = self.close_sent = self.disconnected = False
        self.close_timer = self.ping_timer = self.pong_timer = self.pending_ping_payload = None
        self.close_timeout = 10.0
        self.initial_response = self.request = self.response = self.scope = None  # type: ignore[assignment]
        self.conn: Any = None
        self.read_paused = False
        self.ping_interval, self.ping_timeout = config.ws_ping_interval, config.ws_ping_timeout
        self.ping_sent_at = self.last_ping_rtt = 0.0
        self.frames = []
        self.curr_msg_data_type = "bytes"
        self._accept: str | None = None
        self._is_open = False

    def connection_made(self, transport: Any) -> None:
        self._expect_handshake()
        super().connection_made(transport)

    def open_plainly(self, transport: Any, scope: Any, accept: str) -> None:
        """Begin with a handshake that has been read: `scope` as ASGI has it, `accept` what proves that we understood."""
        self.connections.add(self)
        self.transport = transport
        self.server, self.client, self.scheme = scope["server"], scope["client"], scope["scheme"]
        self.scope = scope
        self.conn = Protocol(SERVER, max_size=self.config.ws_max_size, logger=_log)
        self._accept = accept
        self.handshake_initiated = True
        self.queue.put_nowait({"type": "websocket.connect"})
        task = self.loop.create_task(self.run_asgi())
        task.add_done_callback(self.on_task_complete)
        self.tasks.add(task)

    async def send(self, message: Any) -> None:
        if self._accept is not None and message["type"] == "websocket.accept":
            self._answer(self._accept, message)
        else:
            self._expect_refusal()
            await super().send(message)
        self._look()
        if message["type"] == "websocket.accept" and self.handshake_complete:
            # What the handshake was about, for nobody asks again.
            self.request = self.response = self.scope = None  # type: ignore[assignment]

    def send_500_response(self) -> None:
        self._expect_refusal()
        super().send_500_response()

    def send_receive_event_to_app(self) -> None:
        """Reading is paused while more waits than the one message that is about to be taken."""
        was_paused, self.read_paused = self.read_paused, True
        was_empty = self.queue.empty()
        super().send_receive_event_to_app()
        self.read_paused = was_paused
        if not was_empty and not was_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

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

    def _answer(self, accept: str, message: Any) -> None:
        """Accept an opening handshake that was read before."""
        if self.disconnected:
            raise ClientDisconnected
        if self.transport.is_closing():
            return
        headers = [*self.default_headers, *message.get("headers", ())]
        if subprotocol := message.get("subprotocol"):
            headers.append((b"sec-websocket-protocol", subprotocol.encode("latin-1")))
        lines = [_SWITCHING, accept.encode(), b"\r\n"]
        for name, value in headers:
            lines += name, b": ", value, b"\r\n"
        self._accept = None
        self.handshake_complete = True
        self.transport.write(b"".join((*lines, b"\r\n")))
        self.start_keepalive()

    def _expect_handshake(self) -> None:
        self.conn = ServerProtocol(max_size=self.config.ws_max_size, logger=_log)

    def _expect_refusal(self) -> None:
        """What was read before is not accepted: that is for the stock class to say."""
        if self._accept is not None:
            self._accept = None
            self._expect_handshake()

    def _look(self) -> None:
        """Keep in one place whether frames may be written: of ten thousand sockets each further object is a cache miss."""
        self._is_open = (
            self.conn.state is OPEN
            and self.handshake_complete
            and not self.close_sent
            and not self.disconnected
            and self.writable.is_set()
        )

"""uvicorn's HTTP protocol, with a limit to how long and how large the head of a request may be.

uvicorn times kept connections between requests, but neither one that never sends a request nor one whose head never ends:
each such connection would be held for ever. It also writes a WebSocket's opening handshake out again for another
parser, which costs more than the rest of connecting; one that has nothing unusual is handed over as it was read.
"""

import asyncio
import binascii
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from websockets.utils import accept_key

HEAD_SECONDS: Final = 10.0
HEAD_BYTES: Final = 64 * 1024

_KEY_BYTES: Final = 16


class GuardedHttpProtocol(HttpToolsProtocol):
    """For `uvicorn.Config(http=...)`. Who is too slow or says too much is cut off without an answer."""

    _in_head = True
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES:
            self.transport.abort()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        accept = None if self.scope["method"] != "GET" else plain_handshake(self.scope["headers"])
        if accept is None:
            super().handle_websocket_upgrade()
            return
        self.connections.discard(self)
        protocol: Any = self.ws_protocol_class(  # type: ignore[call-arg, misc]
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        protocol.open_plainly(self.transport, self._socket_scope(), accept)
        self.transport.set_protocol(protocol)

    def _socket_scope(self) -> dict[str, Any]:
        raw_path, _, query_string = self.url.partition(b"?")
        return {
            **self.scope,
            "type": "websocket",
            "asgi": {"version": self.asgi_version, "spec_version": "2.4"},
            "scheme": "wss" if self.scheme == "https" else "ws",
            "path": self.root_path + unquote(raw_path.decode("ascii")),
            "raw_path": self.root_path.encode("ascii") + raw_path,
            "query_string": query_string,
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def plain_handshake(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The proof that answers an opening handshake (RFC 6455, section 4.2); None when it is not entirely ordinary.

    What is None here may still be right: the WebSocket library looks at it then, and refuses what is wrong.
    """
    listed = list(headers)
    said = dict(listed)
    key = said.get(b"sec-websocket-key", b"")
    if (
        len(said) != len(listed)
        or said.get(b"upgrade", b"").lower() != b"websocket"
        or said.get(b"connection", b"").lower() != b"upgrade"
        or said.get(b"sec-websocket-version") != b"13"
        or b"sec-websocket-protocol" in said
        or not _is_key(key)
    ):
        return None
    return accept_key(key.decode())


def _is_key(key: bytes) -> bool:
    try:
        return len(binascii.a2b_base64(key, strict_mode=True)) == _KEY_BYTES
    except binascii.Error:
        return False

"""The inbox socket as an ASGI application, `/ws/inbox`: no consumer object, layer channel or timer for each socket."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from django.conf import settings

from consumers import frames
from consumers.codes import CloseCode
from consumers.commands import run_command
from consumers.connection import Connection, Send
from consumers.hub import Hub, current_hub
from notifications.origins import is_origin_allowed

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

PATH: Final = "/ws/inbox"


async def inbox_socket(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Serve one socket until it is gone. Always accepts first, so that a browser sees the close code."""
    hub = current_hub()
    await receive()
    await send({"type": "websocket.accept"})
    is_allowed = _is_allowed(scope)
    # Every frame between here and the server keeps it, and nobody asks again: 3 KB of each idle socket.
    scope.clear()
    connection = hub.register(send)
    try:
        if hub.draining:
            connection.close(CloseCode.RESUME)
        elif not is_allowed:
            connection.close(CloseCode.BAD_ORIGIN)
        else:
            await hub.open()
        while (message := await receive())["type"] != "websocket.disconnect":
            await _serve(hub, connection, message)
            del message  # else every idle socket keeps its last frame
    finally:
        hub.forget(connection)


async def _serve(hub: Hub, connection: Connection, message: Mapping[str, Any]) -> None:
    """One frame from the client."""
    if connection.is_closing:
        return
    text = message.get("text")
    if not connection.take_command():
        connection.close(CloseCode.TOO_MANY_COMMANDS)
    elif text is None:
        connection.close(CloseCode.NOT_JSON)
    elif _is_too_large(text, hub.conf.max_frame_bytes):
        connection.close(CloseCode.FRAME_TOO_LARGE)
    else:
        try:
            command = frames.parse_command(text)
        except frames.NotJson:
            connection.close(CloseCode.NOT_JSON)
        except frames.BadCommand as bad:
            connection.push(frames.error(bad.command_id, bad.code, bad.title))
        else:
            await run_command(hub, connection, command)


def _is_too_large(text: str, limit: int) -> bool:
    return len(text) > limit or (len(text) * 4 > limit and len(text.encode()) > limit)


def _is_allowed(scope: Mapping[str, Any]) -> bool:
    headers = dict(scope["headers"])
    origin, host = headers.get(b"origin"), headers.get(b"host")
    return is_origin_allowed(
        None if origin is None else origin.decode("latin-1"),
        host=None if host is None else host.decode("latin-1"),
        public_url=settings.PUBLIC_URL,
        allowed=settings.ALLOWED_ORIGINS,
    )

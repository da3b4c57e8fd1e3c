"""The least an ASGI server can do with the request: read the body, answer 202 with JSON of our answer's size."""

from typing import Any

_BODY = b'{"id":"ntf_01kagxrhn5fqs9v9c1nmfv7rzs","status":"accepted","created_at":"2026-01-01T00:00:00.000000Z"}'
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BODY)).encode()),
    (b"location", b"/v1/notifications/ntf_01kagxrhn5fqs9v9c1nmfv7rzs"),
]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Keeps nothing, checks nothing."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    await send({"type": "http.response.start", "status": 202, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})

"""Answers that are sent as they come into being: server-sent events, and long polls that wait for what they say.

A client that leaves ends its answer at once: nobody else would notice before the next write. A client that does not
read is dropped after a while; until then its answer just waits, holding no more than one part.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

import structlog
from django.http import HttpResponse

from notifications.aborting import abort
from notifications.inbox.endings import end_tasks

log = structlog.get_logger(__name__)

_SEND_SECONDS: Final = 30.0


class StreamedResponse(HttpResponse):
    """Status and headers now, the body from `parts`, which is closed whatever becomes of the connection."""

    def __init__(self, parts: AsyncGenerator[bytes, None], *, content_type: str) -> None:
        super().__init__(content_type=content_type)
        self.parts = parts


async def send_stream(parts: AsyncGenerator[bytes, None], receive: Any, send: Any) -> None:
    """Send the body of an answer that was begun, until it ends or the client leaves."""
    sending = asyncio.create_task(_send_parts(parts, send))
    leaving = asyncio.create_task(_until_gone(receive))
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end_tasks((sending, leaving))
    error = None if sending.cancelled() else sending.exception()
    if error is not None:
        log.error("stream_failed", exc_info=error)
        abort(send)


async def _send_parts(parts: AsyncGenerator[bytes, None], send: Any) -> None:
    async with aclosing(parts):
        async for part in parts:
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            except TimeoutError:
                abort(send)
                return
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

"""The API's ASGI handler: Django's, without what costs a thread or a temporary file per request.

Measured beside the stock handler: see the ADR on the lean handler and `make bench`. What differs: the body is read
into memory up to a limit (413 beyond it), there is no per-request thread context, no `request_started` and
`request_finished` signal, no second task that watches for a disconnect (but for streams), and no middleware but what every API answer
needs. Synchronous work therefore must not be awaited through `sync_to_async`; it goes to
`notifications.executor`. Pages (admin, demo) keep the stock handler.
"""

import functools
import io
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpResponse
from django.urls import Resolver404, ResolverMatch, get_resolver

from api import plain_counts
from api.plain import PlainAnswer
from api.problems import problem
from api.streaming import StreamedResponse, send_stream
from notifications import ids

log = structlog.get_logger(__name__)

MAX_BODY_BYTES: Final = 512 * 1024
_TOO_LARGE: Final = object()


@functools.lru_cache(maxsize=2)
def _security_headers(hsts_seconds: int) -> tuple[tuple[str, tuple[bytes, bytes]], ...]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    if hsts_seconds:
        headers["Strict-Transport-Security"] = f"max-age={hsts_seconds}"
    return tuple((name, (name.lower().encode(), value.encode())) for name, value in headers.items())


class LeanHandler(ASGIHandler):
    """Serves the async views of one URL configuration."""

    def __init__(self, urlconf: str) -> None:
        self._resolver = get_resolver(urlconf)
        self._known: dict[str, ResolverMatch] = {}
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """None of the project's: sessions, CSRF and messages belong to the pages."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == plain_counts.PATH and (plain := await plain_counts.plain_counts(scope)) is not None:
            await _send_plain(plain, send)
            return
        body = await _read(receive)
        if body is None:
            return
        response: HttpResponse | PlainAnswer
        if body is _TOO_LARGE:
            response = problem(
                413, "payload_too_large", f"At most {MAX_BODY_BYTES} bytes.", headers={"Connection": "close"}
            )
        else:
            response = await self._answer(scope, body)
        if isinstance(response, PlainAnswer):
            await _send_plain(response, send)
        else:
            await _send(response, receive, send)

    async def _answer(self, scope: Any, body: bytes) -> HttpResponse | PlainAnswer:
        """The view's answer; the outermost frame, so whatever the view did not expect ends here, logged."""
        try:
            request = ASGIRequest(scope, io.BytesIO(body))
        except UnicodeDecodeError:
            return problem(400, "malformed", "The query string is not UTF-8.")
        request._body = body
        try:
            match = self._known.get(request.path_info) or self._resolve(request.path_info)
        except Resolver404:
            return problem(404, "not_found", "There is nothing at this address.")
        request.resolver_match = match
        try:
            response: HttpResponse | PlainAnswer = await match.func(request, *match.args, **match.kwargs)
        except Exception:
            log.exception("request_failed", path=match.route, method=request.method)
            return problem(500, "internal", "Something went wrong here; it has been logged.")
        return response

    def _resolve(self, path: str) -> ResolverMatch:
        """The view for `path`; addresses without variable parts, which are few, are remembered. Raises `Resolver404`."""
        match = self._resolver.resolve(path)
        if not match.kwargs:
            self._known[path] = match
        return match


async def _send(response: HttpResponse, receive: Any, send: Any) -> None:
    """Send an answer with the headers that every answer carries.

    `response.close()` is left out on purpose: it fires `request_finished`, and nothing here is open.
    """
    own = response.headers
    headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in own.items()]
    headers += [header for name, header in _security_headers(settings.SECURE_HSTS_SECONDS) if name not in own]
    headers.append((b"x-request-id", ids.new_uuid().hex.encode()))
    start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
    if isinstance(response, StreamedResponse):
        await send(start)
        await send_stream(response.parts, receive, send)
        return
    body = response.content
    headers.append((b"content-length", str(len(body)).encode()))
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def _send_plain(answer: PlainAnswer, send: Any) -> None:
    own = {name for name, _ in answer.headers}
    security = _security_headers(settings.SECURE_HSTS_SECONDS)
    headers = answer.headers + [header for _, header in security if header[0] not in own]
    headers.append((b"x-request-id", ids.new_uuid().hex.encode()))
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _read(receive: Any) -> Any:
    """The whole body; `_TOO_LARGE` beyond the limit; None when the client went away."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY_BYTES:
            return _TOO_LARGE
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)

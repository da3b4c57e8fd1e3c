"""The base of the inbox's views: a recipient token instead of an API key, and answers that browsers of other origins may read.

A token opens one inbox of one project; there are no scopes and, since every change can be repeated harmlessly, no
idempotency keys. Which origins are let in is decided as for the socket, by the public address and `ALLOWED_ORIGINS`;
without cookies there is nothing that a foreign page could use behind a recipient's back.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, Final, TypeVar, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from api.base import ApiRequest, ApiView, bearer, unauthorized
from api.problems import HttpProblem, problem
from api.throttle import check_rate
from notifications.errors import Unavailable
from notifications.inbox.access import LOG_FAILED
from notifications.inbox.reads import Head
from notifications.origins import is_origin_allowed
from notifications.tokens import BadToken, RecipientToken, read_known_token

T = TypeVar("T")

_PATIENCE_SECONDS: Final = 1.5  # the contract's two seconds, with room for a busy process
_ALLOWED_HEADERS: Final = "Authorization, Content-Type, If-None-Match, Last-Event-ID, Cache-Control"
_EXPOSED_HEADERS: Final = "ETag, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id"


class InboxRequest(ApiRequest):
    """What a view's method gets: Django's request with whose inbox it is about."""

    recipient: RecipientToken


class InboxView(ApiView):
    """One resource of the inbox that the token opens."""

    security: ClassVar[str] = "recipientToken"

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As every view's, with what browsers ask for when the page is of another origin."""
        origin = request.META.get("HTTP_ORIGIN")
        if request.method == "OPTIONS" and origin and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META:
            response = self._preflight(origin)
        else:
            response = cast(
                HttpResponse, await super().dispatch(request, *args, **kwargs)
            )  # none of these answers plainly
        response["Vary"] = "Origin, Authorization"
        if origin and _may_read(origin):
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
        return response

    async def authorize(self, request: ApiRequest) -> None:
        """Find whose inbox this is and check the rate. Raises `HttpProblem`."""
        try:
            token = read_known_token(bearer(request))
        except BadToken:
            raise bad_token() from None
        check_rate(token.recipient_pk)
        cast(InboxRequest, request).recipient = token

    def _preflight(self, origin: str) -> HttpResponse:
        if not _may_read(origin):
            return problem(403, "origin_refused", "Pages of this origin may not use the inbox.")
        headers = {
            "Access-Control-Allow-Methods": self._allow(),
            "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
            "Access-Control-Max-Age": "600",
        }
        return HttpResponse(status=204, headers=headers)


def bad_token() -> HttpProblem:
    """401: forged, expired, revoked, or its recipient is gone; which of these is not told."""
    return unauthorized("Send a valid recipient token as `Authorization: Bearer <token>`.")


def admitted(head: Head | None, token: RecipientToken) -> Head:
    """The head, if there is one and the token opens it. Raises `HttpProblem` 401."""
    if head is None or not head.admits(token.issued_at):
        raise bad_token()
    return head


async def answered(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, if PostgreSQL answers in time. Raises `Unavailable`, or what `work` raises.

    psycopg waits for the server even when it is cancelled, so whoever is frozen there is left behind.
    """
    task = asyncio.create_task(work)
    await asyncio.wait((task,), timeout=_PATIENCE_SECONDS)
    if not task.done():
        task.add_done_callback(lambda late: late.cancelled() or late.exception())
        task.cancel()
        raise Unavailable("The database does not answer. Try again.")
    try:
        return task.result()
    except LOG_FAILED as error:
        raise Unavailable("The database does not answer. Try again.") from error


def _may_read(origin: str) -> bool:
    return is_origin_allowed(origin, host=None, public_url=settings.PUBLIC_URL, allowed=settings.ALLOWED_ORIGINS)

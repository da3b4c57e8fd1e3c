"""The base of every API view: adrf's APIView with authentication, scopes, rate and errors natively async.

adrf runs `initial` in a thread and Django renders a DRF response in another; here everything of a request that needs
no database stays on the event loop, and what a view returns is already rendered. Views parse, call one function of
a lower package, answer; anything that goes wrong is raised and becomes a problem document here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import msgspec
import structlog
from adrf.views import APIView
from django.http import HttpRequest, HttpResponse

from api import json_body
from api.plain import PlainAnswer
from api.problems import HttpProblem, response_to
from api.throttle import check_rate
from notifications.acting import acting_key
from notifications.errors import CarillonError
from notifications.key_cache import Caller, find_caller

log = structlog.get_logger(__name__)
_REFUSED = re.compile(r"q=0(\.0*)?")
_encode = msgspec.json.Encoder().encode


class ApiRequest(HttpRequest):
    """What a view's method gets: Django's request with its caller."""

    caller: Caller


class ApiView(APIView):  # type: ignore[misc]  # adrf is not typed
    """One resource. `scopes` names the scope each method needs; a method that is not named needs `admin`."""

    scopes: ClassVar[Mapping[str, str]] = {}
    media_types: ClassVar[tuple[str, ...]] = ("application/json",)
    view_is_async = True

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | PlainAnswer:
        """Authenticate, check, run the method, and turn every known error into its problem document."""
        self.request = request
        try:
            return await self._serve(cast(ApiRequest, request), **kwargs)
        except (CarillonError, HttpProblem) as error:
            return response_to(error)

    async def _serve(self, request: ApiRequest, **kwargs: Any) -> HttpResponse | PlainAnswer:
        method = (request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None or method == "options":
            raise HttpProblem(405, "method_not_allowed", "This resource does not do that.", {"Allow": self._allow()})
        check_accept(request, self.media_types)
        await self.authorize(request)
        response: HttpResponse | PlainAnswer = await handler(request, **kwargs)
        return response

    async def authorize(self, request: ApiRequest) -> None:
        """Find the caller by API key and check scope and rate. Raises `HttpProblem`."""
        key = bearer(request)
        caller = await find_caller(key) if 32 <= len(key) <= 512 else None
        if caller is None:
            raise unauthorized("Send a valid API key as `Authorization: Bearer <key>`.")
        method = "GET" if request.method == "HEAD" else request.method or ""
        if not caller.may(self.scopes.get(method, "admin")):
            raise HttpProblem(403, "forbidden", "The key's scopes do not allow this.")
        check_rate(caller.key_id)
        request.caller = caller
        if method != "GET":
            acting_key.set(caller.key_id)

    def read(self, request: HttpRequest) -> Any:
        """The decoded JSON body."""
        return json_body.read_json(request)

    def read_optional(self, request: HttpRequest) -> Any:
        """The decoded JSON body, or an empty object where none was sent."""
        return self.read(request) if request.body else {}

    def _allow(self) -> str:
        return ", ".join(name.upper() for name in self.http_method_names if name != "options" and hasattr(self, name))


class PublicView(ApiView):
    """A resource that needs no key and is not part of the described API."""

    schema = None

    async def authorize(self, request: ApiRequest) -> None:
        """Anybody."""


def bearer(request: HttpRequest) -> str:
    """The Bearer credential (RFC 6750), or an empty string."""
    scheme, _, value = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def unauthorized(detail: str) -> HttpProblem:
    """401 with its challenge."""
    return HttpProblem(401, "unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="carillon"'})


def check_accept(request: HttpRequest, media_types: Sequence[str]) -> None:
    """Refuse a client that takes none of `media_types`, the first of which is the usual one. Raises `HttpProblem` 406."""
    accept = str(request.META.get("HTTP_ACCEPT", "*/*"))
    if accept in ("*/*", media_types[0]):
        return
    for wanted in accept.lower().split(","):
        name, *parameters = (part.strip() for part in wanted.split(";"))
        taken = name == "*/*" or any(name in (ours, f"{ours.partition('/')[0]}/*") for ours in media_types)
        if taken and not any(_REFUSED.fullmatch(parameter) for parameter in parameters):
            return
    raise HttpProblem(406, "not_acceptable", f"Answers are {media_types[0]}.")


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """`value` as JSON, rendered now."""
    return HttpResponse(_encode(value), status=status, content_type="application/json", headers=headers)

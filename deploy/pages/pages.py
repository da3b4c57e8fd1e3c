"""How every page is answered: one template look, strict headers, and the guard in front of the demo and the mail."""

import functools
from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from deploy.pages import access
from deploy.version import version

View = Callable[..., Any]

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render one of our pages."""
    shared = {"version": version(), "enabled": access.is_enabled()}
    response = render(request, f"pages/{template}.html", {**shared, **(context or {})}, status=status)
    response["Content-Security-Policy"] = _POLICY
    response["Referrer-Policy"] = "same-origin"
    return response


def guarded(view: View) -> View:
    """Only for those whom `access` allows; others are told in the form they asked for, JSON or a page."""
    if iscoroutinefunction(view):

        @functools.wraps(view)
        async def guard_async(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            refusal = _refusal(request, allowed=access.may_use(request, await request.auser()))
            return refusal or await view(request, *args, **kwargs)

        return never_cache(guard_async)

    @functools.wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        refusal = _refusal(request, allowed=access.may_use(request, request.user))
        return refusal or view(request, *args, **kwargs)

    return never_cache(guard)


def _refusal(request: HttpRequest, *, allowed: bool) -> HttpResponse | None:
    wants_json = request.accepts("application/json") and not request.accepts("text/html")
    if not access.is_enabled():
        title = "These pages are switched off"
        return _told(request, wants_json, 404, title, {"reason": "off"})
    if not allowed:
        title = "Only from this machine, or logged in"
        return _told(request, wants_json, 403, title, {"reason": "login", "login": reverse("admin:login")})
    return None


def _told(request: HttpRequest, wants_json: bool, status: int, title: str, context: dict[str, Any]) -> HttpResponse:
    if wants_json:
        return JsonResponse({"title": title, "status": status}, status=status)
    return page(request, "refused", {"title": title, **context}, status=status)

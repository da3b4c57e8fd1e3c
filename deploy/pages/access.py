"""Who may use the demo and read caught mail: somebody at this machine, or an operator who is logged in.

"At this machine" must not be true of a stranger behind a reverse proxy that runs here, nor of a web page that
rebinds its own name to 127.0.0.1. So four things are asked: the client's address is loopback, the Host header names
loopback, no proxy has left a trace, and the installation's public address is local too. And the pages exist only
where mail is caught (or in debug mode), which is never a production installation.
"""

from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.http.request import split_domain_port

PERMISSION: Final = "notifications.add_notification"
_PROXY_TRACES: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def is_enabled() -> bool:
    """Whether this installation has these pages at all."""
    return bool(settings.CARILLON_MAIL_DIR or settings.DEBUG)


def is_local(meta: dict[str, Any], *, public_url: str) -> bool:
    """Whether a request with this `META` comes from a person at this machine. Pure."""
    if any(meta.get(trace) for trace in _PROXY_TRACES):
        return False
    asked_host, _ = split_domain_port(str(meta.get("HTTP_HOST", "")).lower())
    public_host = urlsplit(public_url).hostname or ""
    return (
        _is_loopback(str(meta.get("REMOTE_ADDR", "")))
        and _is_loopback(asked_host)
        and (_is_loopback(public_host) or _is_any_address(public_host))
    )


def may_use(request: HttpRequest, user: User | AnonymousUser) -> bool:
    """Whether this request by `user` may see and send here."""
    if is_local(request.META, public_url=settings.PUBLIC_URL):
        return True
    return bool(user.is_active and getattr(user, "is_staff", False) and user.has_perm(PERMISSION))


def _is_loopback(host: str) -> bool:
    host = host.strip("[]")
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_any_address(host: str) -> bool:
    return host in ("0.0.0.0", "::")  # noqa: S104 - compared, not listened on

"""Entity tags: who has the current state already is told so (304) instead of sent it again."""

from django.http import HttpRequest


def has_current(request: HttpRequest, tag: str) -> bool:
    """Whether the request's `If-None-Match` names `tag` (RFC 9110, weak comparison)."""
    known = str(request.META.get("HTTP_IF_NONE_MATCH", ""))
    return known.strip() == "*" or tag in (item.strip().removeprefix("W/") for item in known.split(","))

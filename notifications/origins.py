"""Whether a page of some origin may use an inbox: the socket asks because browsers apply no same-origin rule there, HTTP for CORS."""

from collections.abc import Sequence
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def is_origin_allowed(origin: str | None, *, host: str | None, public_url: str, allowed: Sequence[str]) -> bool:
    """True without an `Origin` (not a browser), for the host that was asked, the public address, and `allowed`."""
    if origin is None or "*" in allowed:
        return True
    asking = _parts(origin)
    if asking is None:
        return False
    if asking == _parts(public_url) or asking in [_parts(entry) for entry in allowed]:
        return True
    # Behind a proxy the scheme seen here may not be the browser's; the host is.
    return host is not None and _parts(f"{asking[0]}://{host}") == asking


def _parts(url: str) -> tuple[str, str, int] | None:
    try:
        split = urlsplit(url)
        port = split.port or _DEFAULT_PORTS.get(split.scheme)
    except ValueError:
        return None
    if not split.hostname or port is None:
        return None
    return split.scheme, split.hostname, port

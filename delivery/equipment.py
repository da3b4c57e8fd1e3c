"""What an endpoint's sealed columns hold, opened for sending. Cached: most batches go to few endpoints."""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from notifications.custom_headers import unseal_headers
from notifications.sealing import unseal

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_CACHED: Final = 4096


def secrets_of(sealed: str | None, sealed_old: str | None) -> tuple[str, ...]:
    """Every key that signs, the newest first; `sealed_old` signs along after a rotation. Raises `SealBroken`."""
    if not sealed_old:
        return _opened(sealed) if sealed else ()
    return (_opened(sealed) if sealed else ()) + _opened(sealed_old)


def headers_of(sealed: str | None) -> Mapping[str, str]:
    """The endpoint's own request headers. Raises `SealBroken`."""
    return _headers(sealed) if sealed else _NO_HEADERS


@functools.lru_cache(maxsize=_CACHED)
def _opened(sealed: str) -> tuple[str, ...]:
    return tuple(unseal(sealed).split())


@functools.lru_cache(maxsize=_CACHED)
def _headers(sealed: str) -> Mapping[str, str]:
    return MappingProxyType(unseal_headers(sealed))

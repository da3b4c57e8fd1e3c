"""What an answer, or the lack of one, means for a delivery: pure decisions.

2xx                      accepted
3xx                      permanent `redirect`: following it would let the receiver choose our next address
410                      permanent `gone`, and the endpoint is to be disabled
429, 502, 503, 504       temporary `http_<status>`, `Retry-After` heeded
anything else            temporary `http_<status>`: Standard Webhooks retries whatever is not 2xx
no answer                temporary: `dns_failed`, `dns_timeout`, `connection_refused`, `connect_failed`,
                         `connect_timeout`, `tls_failed`, `connection_lost`, `timeout`, `bad_response`
guard                    permanent `forbidden_address`
"""

import errno
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aiohttp

from delivery.transports.base import DeliveryError, PermanentFailure, TemporaryFailure
from delivery.transports.resolver import ForbiddenAddress, LookupTimeout
from delivery.transports.retry_after import parse_retry_after

_HEEDS_RETRY_AFTER = frozenset({429, 502, 503, 504})

# The first class that fits names the reason, so the narrower ones come first.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientSSLError, "tls_failed"),
    (aiohttp.ClientConnectorCertificateError, "tls_failed"),
    (aiohttp.ClientConnectorDNSError, "dns_failed"),
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (aiohttp.ServerTimeoutError, "read_timeout"),
    (aiohttp.ClientConnectorError, "connect_failed"),
    (aiohttp.ClientConnectionError, "connection_lost"),
    (TimeoutError, "timeout"),
    (OSError, "connection_lost"),
)


def failure_of_status(
    status: int, *, retry_after: str | None, now: datetime, response: Mapping[str, Any]
) -> DeliveryError | None:
    """None when the receiver took it."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return PermanentFailure("redirect", response=response)
    if status == 410:
        return PermanentFailure("gone", response=response, disable_endpoint=True)
    seconds = parse_retry_after(retry_after, now=now) if status in _HEEDS_RETRY_AFTER else None
    return TemporaryFailure(f"http_{status}", response=response, retry_after=seconds)


def failure_of_error(error: BaseException) -> DeliveryError:
    """For an exception of aiohttp (what httpx made of it tells less)."""
    os_error = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
    if isinstance(os_error, ForbiddenAddress):
        return PermanentFailure("forbidden_address")
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return PermanentFailure("invalid_url")
    if isinstance(os_error, LookupTimeout):
        return TemporaryFailure("dns_timeout")
    if os_error is not None and os_error.errno == errno.ECONNREFUSED:
        return TemporaryFailure("connection_refused")
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return TemporaryFailure(reason)
    return TemporaryFailure("bad_response")


def is_stale_connection(error: BaseException) -> bool:
    """Whether a kept connection broke before a byte of an answer: the receiver had closed it, nothing was refused."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ServerTimeoutError):
        return False
    if isinstance(error, aiohttp.ServerDisconnectedError):
        # A half-read head comes as something else than text.
        return isinstance(error.message, str)
    return isinstance(error, aiohttp.ClientOSError | aiohttp.ClientConnectionResetError)

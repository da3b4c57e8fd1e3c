"""Whether and when a request is tried again. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import httpx

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
RETRIED_CODES = frozenset({"in_flight"})


@dataclass(frozen=True)
class RetryPolicy:
    """How often a request is made and how long is waited between two tries.

    The pause is what the server asked for with `Retry-After`, plus a random part of a time that doubles from
    `first_pause_seconds` to `longest_pause_seconds` (full jitter). A server that asks for more than
    `longest_retry_after_seconds` gets no further try: the caller decides.
    """

    attempts: int = 6
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 10.0
    longest_retry_after_seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.first_pause_seconds, self.longest_pause_seconds) < 0:
            raise ValueError("attempts must be 1 or more, pauses 0 or more")

    def pause(
        self, tried: int, retry_after: float | None = None, chance: Callable[[], float] = random.random
    ) -> float | None:
        """Seconds to wait after `tried` tries; None: not again."""
        asked = retry_after or 0.0
        if tried >= self.attempts or asked > self.longest_retry_after_seconds:
            return None
        most = min(self.first_pause_seconds * 2.0 ** min(tried - 1, 32), self.longest_pause_seconds)
        return asked + chance() * most


def may_repeat_after(error: httpx.HTTPError) -> bool:
    """Whether the connection failed, rather than the request being one that no connection can carry."""
    never = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
    return isinstance(error, httpx.TransportError) and not isinstance(error, never)


def read_retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Seconds from a `Retry-After` field (RFC 9110, 10.2.3), a number or a date; None where there is none to read."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=timezone.utc)
    return max((until - (now or datetime.now(timezone.utc))).total_seconds(), 0.0)

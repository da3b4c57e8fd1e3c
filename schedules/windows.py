"""When a digest's window closes. Pure; every time in and out is in UTC.

seconds                       so long after it was opened
sliding_seconds, max_seconds  so long after the latest item, but never later than `max_seconds` after it was opened
cron, rrule                   at the rule's next time, by the clock on the recipient's wall (`schedules.recurrence` says how
                              clocks that are put forward and back are met)
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from notifications.recurrence_rules import parse_rrule
from schedules.recurrence import Calendar, Cron, Rule, next_after

RECIPIENT: Final = "recipient"
_FIRST_MONDAY: Final = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall time: what rules of windows count from


class WindowRule(Protocol):
    """What a workflow's digest step says about its window: exactly one of the four is given."""

    @property
    def seconds(self) -> float | None: ...
    @property
    def sliding_seconds(self) -> float | None: ...
    @property
    def max_seconds(self) -> float | None: ...
    @property
    def cron(self) -> str | None: ...
    @property
    def rrule(self) -> str | None: ...
    @property
    def timezone(self) -> str | None: ...


def closes_at(window: WindowRule, *, opened_at: datetime, latest_at: datetime, timezone: str) -> datetime:
    """When the window that `opened_at` opened closes, its latest item having come at `latest_at`.

    `timezone` is the recipient's; a window that names another goes by that. Always later than `opened_at`, but where a rule
    has no further time at all, or cannot be read: then at once, so that nothing waits for ever.
    """
    if window.seconds is not None:
        return opened_at + timedelta(seconds=window.seconds)
    if window.sliding_seconds is not None:
        slid = max(latest_at, opened_at) + timedelta(seconds=window.sliding_seconds)
        return slid if window.max_seconds is None else min(slid, opened_at + timedelta(seconds=window.max_seconds))
    named = timezone if window.timezone in (None, RECIPIENT) else window.timezone
    return _next_of_rule(window.cron, window.rrule, named or timezone, opened_at) or opened_at


@lru_cache(maxsize=4096)  # a batch of recipients asks the same
def _next_of_rule(cron: str | None, rrule: str | None, timezone: str, after: datetime) -> datetime | None:
    try:
        return next_after(_rule(cron, rrule, timezone), after)
    except ValueError:  # a rule that was taken when less was asked of rules
        return None


@lru_cache(maxsize=1024)
def _rule(cron: str | None, rrule: str | None, timezone: str) -> Rule:
    zone = ZoneInfo(timezone)
    if cron is not None:
        return Cron(cron, zone)
    assert rrule is not None, "a window has a duration, a cron rule or a recurrence rule"
    return Calendar(parse_rrule(rrule), zone, _FIRST_MONDAY.replace(tzinfo=zone))

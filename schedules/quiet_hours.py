"""When quiet hours end, by somebody's own clock. Pure.

The clock's changes are met so that nobody is disturbed within what their clock calls quiet: a time that the clock skips
(spring) is the first moment after the gap, and of a time that it shows twice (autumn) hours begin at the first and
end at the second. Intervals that touch or overlap are one.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from notifications.preferences.deciding import quiet_hours, quiet_policy
from notifications.preferences.shapes import EMPTY, Policy, Preferences, Weekly

LONGEST: Final = timedelta(days=15)
"""Beyond this nothing is put off: only a clock's change can close the last gap of a week, and in the next it is open again."""
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Somebody's quiet hours that something has to keep, by their own clock."""

    weekly: Weekly
    timezone: str
    policy: Policy

    @property
    def drops(self) -> bool:
        """Whether what comes in them does not come at all, because that was asked for."""
        return self.policy == "drop"

    def until(self, at: datetime) -> datetime | None:
        """When the quiet in which `at` lies ends; None when it is not quiet then."""
        return quiet_until(self.weekly, timezone=self.timezone, at=at)

    def admit(self, at: datetime) -> datetime:
        """The first moment from `at` on that is not quiet."""
        return self.until(at) or at


def find_quiet(
    channel: str,
    *,
    timezone: str,
    own: Preferences = EMPTY,
    defaults: Preferences = EMPTY,
    critical: bool = False,
    policy: Policy | None = None,
) -> Quiet | None:
    """The quiet hours that something over `channel` has to keep; None where there are none, or it breaks through.

    `policy` is what the sender asks for; None: as the hours themselves say.
    """
    hours = quiet_hours(channel, own=own, defaults=defaults)
    if hours is None:
        return None
    decided = quiet_policy(hours, critical=critical, asked=policy)
    return None if decided == "break_through" else Quiet(hours.weekly, timezone, decided)


@lru_cache(maxsize=65_536)
def quiet_until(weekly: Weekly, *, timezone: str, at: datetime) -> datetime | None:
    """When the quiet in which `at` lies ends, in UTC; None when it is not quiet then.

    `timezone` is an IANA name; one that this machine does not know counts as UTC.
    """
    zone, end = _zone(timezone), at
    while end - at < LONGEST:
        later = _end_around(weekly, zone, end)
        if later is None:
            break
        end = later
    return end.astimezone(UTC) if end > at else None


def _end_around(weekly: Weekly, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """The latest end of the intervals in which `moment` lies."""
    today = moment.astimezone(zone).date()
    found = None
    for day in (
        today - timedelta(days=1),
        today,
        today + timedelta(days=1),
    ):  # tomorrow: where the clock goes back over midnight
        for start, end in weekly[day.weekday()]:
            until = _instant(day, end, zone, last=True)
            if _instant(day, start, zone, last=False) <= moment < until:
                found = until if found is None else max(found, until)
    return found


def _instant(day: date, minutes: int, zone: ZoneInfo, *, last: bool) -> datetime:
    """The moment at which the clock shows that many minutes of that day (and beyond it): the first, or the last."""
    days, minutes = divmod(minutes, 24 * 60)
    local = datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60), zone)
    before, after = local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if before > after:  # skipped: `fold` 0 reads it by the offset before the gap, 1 by the one behind it
        return _end_of_gap(zone, after, before)
    return after if last else before


def _end_of_gap(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The moment between the two at which the zone's offset changes, to the second."""
    offset = high.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return _UTC

"""What becomes of a schedule's times that have come, be it just now or while nobody was there to see. Pure.

all    each is made up for, in order
one    the latest is; earlier ones are passed over
skip   the latest is, unless it is more than five minutes late; earlier ones are passed over
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schedules.recurrence import next_after
from schedules.timing import Timing

LATE: Final = timedelta(minutes=5)
MOST_AT_ONCE: Final = 20
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """`fire` now, in this order; `missed` is the time that is not made up for; `next_at` may have come already."""

    fire: tuple[datetime, ...]
    missed: datetime | None
    passed_over_since: datetime | None
    next_at: datetime | None


def settle(timing: Timing, *, anchor: datetime, catch_up: str, next_at: datetime, now: datetime) -> Due:
    """Decide for a schedule whose `next_at` is not later than `now`."""
    if catch_up == "all":
        fire = [next_at]
        following = timing.times(anchor=anchor, after=next_at)
        for time in following:
            if time > now or len(fire) == MOST_AT_ONCE:
                return Due(tuple(fire), None, None, time)
            fire.append(time)
        return Due(tuple(fire), None, None, None)
    latest = latest_time(timing, anchor=anchor, since=next_at, until=now)
    passed_over = next_at if latest > next_at else None
    following_at = timing.next_time(anchor=anchor, after=now)
    if catch_up == "skip" and now - latest > LATE:
        return Due((), latest, passed_over, following_at)
    return Due((latest,), None, passed_over, following_at)


def latest_time(timing: Timing, *, anchor: datetime, since: datetime, until: datetime) -> datetime:
    """The latest time from `since` (which is one) to `until`. Times may be many between, so it is closed in upon by halves."""
    rule = timing.rule(anchor)
    end = min(until, timing.end) if timing.end else until

    def following(after: datetime) -> datetime | None:
        time = next_after(rule, after)
        return time if time is not None and time <= end else None

    found, none_after = since, end
    while none_after - found > _SECOND:
        middle = found + (none_after - found) / 2
        if later := following(middle):
            found = later
        else:
            none_after = middle
    while later := following(found):
        found = later
    return found

"""From what a clock on the wall shows to moments in time, where clocks are put forward and back. Pure.

In a gap (clocks go forward) some wall times never come; in an overlap (clocks go back) some come twice.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_SECOND: Final = timedelta(seconds=1)


def first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the wall clock first shows `wall` (naive) or, should it never, the first moment after the gap; in UTC."""
    early, late = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    if _offset(early) < _offset(late):
        return _end_of_gap(late.astimezone(UTC), early.astimezone(UTC), zone)
    return early.astimezone(UTC)


def every_moment(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """All moments at which the wall clock shows `wall`: none in a gap, two in an overlap, else one; in UTC."""
    early, late = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    if _offset(early) < _offset(late):
        return []
    if _offset(early) > _offset(late):
        return [early.astimezone(UTC), late.astimezone(UTC)]
    return [early.astimezone(UTC)]


def put_back_within_a_day(moment: datetime, zone: ZoneInfo) -> timedelta:
    """By how much the clocks go back during the day that follows `moment`; zero where they do not."""
    now, later = moment.astimezone(zone), (moment + timedelta(days=1)).astimezone(zone)
    return max(_offset(now) - _offset(later), timedelta())


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    assert offset is not None
    return offset


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the clocks go forward; they do so at whole seconds."""
    reached = _offset(after.astimezone(zone))
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if _offset(middle.astimezone(zone)) == reached:
            after = middle
        else:
            before = middle
    return after

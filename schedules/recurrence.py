"""When something recurs: a rule and the times it names. Pure; every time in and out is in UTC.

Four kinds of rule: once `At` a time, `Every` so long (elapsed time, counted from an anchor), by `Cron`, or by a `Calendar` rule
(RRULE). The last two go by the clock on the wall of a time zone, which is put forward and back:

- a time that falls into a gap comes at the first moment after the gap; several that fall into it, or upon its end, are one;
- a time that comes twice counts once, the first time;
- a cron rule of every hour (`*` for the hour) goes on through both: it comes whenever the wall clock shows a minute that
  it names, so that an overlap makes no pause of it and a gap no extra.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from notifications.recurrence_rules import RecurrenceRule
from schedules.rrules import wall_times
from schedules.wall_clock import every_moment, first_moment, put_back_within_a_day

_MARGIN: Final = timedelta(days=1)  # wall clocks of one place are never this far apart


@dataclass(frozen=True, slots=True)
class At:
    """Once."""

    time: datetime


@dataclass(frozen=True, slots=True)
class Every:
    """At `anchor` and then each time `interval` has passed, whatever the clocks say."""

    interval: timedelta
    anchor: datetime


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields as in crontab(5), with `L`, `LW` and `1#2` besides."""

    expression: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Calendar:
    """An RRULE whose DTSTART is `anchor`."""

    rule: RecurrenceRule
    zone: ZoneInfo
    anchor: datetime


Rule = At | Every | Cron | Calendar


def next_after(rule: Rule, after: datetime) -> datetime | None:
    """The first time of `rule` that is later than `after`; None when there is none (within some decades)."""
    try:
        match rule:
            case At():
                return rule.time if rule.time > after else None
            case Every():
                passed = (after - rule.anchor) // rule.interval + 1
                return rule.anchor + max(passed, 0) * rule.interval
            case Cron():
                return _next_of_cron(rule, after)
            case Calendar():
                since = _wall(after, rule.zone) - _MARGIN
                walls = wall_times(rule.rule, anchor=_wall(rule.anchor, rule.zone), since=since, zone=rule.zone)
                return _first_later(walls, rule.zone, max(after, rule.anchor - timedelta(microseconds=1)))
    except OverflowError:  # beyond the year 9999
        return None


def occurrences(
    rule: Rule, *, after: datetime, start: datetime | None = None, end: datetime | None = None
) -> Iterator[datetime]:
    """The times later than `after`, not before `start` and not after `end`, ascending."""
    if start is not None:
        after = max(after, start - timedelta(microseconds=1))
    while (found := next_after(rule, after)) is not None and (end is None or found <= end):
        yield found
        after = found


def _next_of_cron(rule: Cron, after: datetime) -> datetime | None:
    wall = _wall(after, rule.zone)
    if len(CronSim(rule.expression, wall).hours) < 24:
        return _first_later(CronSim(rule.expression, wall), rule.zone, after)
    return _first_of_every_hour(rule, after, wall - put_back_within_a_day(after, rule.zone))


def _first_later(walls: Iterator[datetime], zone: ZoneInfo, after: datetime) -> datetime | None:
    return next((moment for wall in walls if (moment := first_moment(wall, zone)) > after), None)


def _first_of_every_hour(rule: Cron, after: datetime, since: datetime) -> datetime | None:
    """Wall times do not rise with time in an overlap: look on until no later one can be earlier."""
    best: datetime | None = None
    for wall in CronSim(rule.expression, since):
        if best is not None and first_moment(wall, rule.zone) >= best:
            break
        later = [moment for moment in every_moment(wall, rule.zone) if moment > after]
        best = min([*later, *([best] if best else [])], default=None)
    return best


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)

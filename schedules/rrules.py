"""The wall times that a recurrence rule (RRULE) names. Pure; which rules are taken is said in `notifications/recurrence_rules.py`.

The arithmetic is dateutil's. It looks for a next time until the year 9999, which a rule that never comes true makes long;
the calendar repeats itself every 400 years, so we let it look in the last of them and it gives up soon.
Nor does it begin at the rule's start when that is long ago, but in the period that is asked about.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from notifications.recurrence_rules import DAYS, RecurrenceRule

_CYCLES: Final = timedelta(days=146_097) * 19  # 7600 years: from the 2000s to the 9600s
_LAST_YEAR: Final = 2399


def wall_times(rule: RecurrenceRule, *, anchor: datetime, since: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The wall times (naive, ascending) the rule names from `anchor` on; may leave out those before `since`."""
    until = rule.until.astimezone(zone).replace(tzinfo=None) if rule.until and rule.until.tzinfo else rule.until
    begin = _PERIODS[rule.frequency](rule, anchor, anchor if rule.count else max(since, anchor))
    counted = 0
    if begin.year > _LAST_YEAR:
        return
    for shifted in rrulestr(_explicit(rule, anchor), dtstart=begin + _CYCLES):
        wall = shifted - _CYCLES
        if wall < anchor:
            continue
        counted += 1
        if (rule.count and counted > rule.count) or (until and wall > until):
            return
        yield wall


def times_of_day(rule: RecurrenceRule, *, anchor: datetime) -> tuple[list[int], list[int]]:
    """The hours and the minutes it names; `anchor` in the rule's own time zone."""
    hours = rule.parts.get("BYHOUR", str(anchor.hour))
    minutes = rule.parts.get("BYMINUTE", str(anchor.minute))
    return [int(hour) for hour in hours.split(",")], [int(minute) for minute in minutes.split(",")]


def _explicit(rule: RecurrenceRule, anchor: datetime) -> str:
    """The rule with everything said that RFC 5545 takes from the start, so that it may begin elsewhere."""
    parts = dict(rule.parts)
    if "BYDAY" not in parts and "BYMONTHDAY" not in parts:
        if rule.frequency == "WEEKLY":
            parts["BYDAY"] = DAYS[anchor.weekday()]
        elif rule.frequency != "DAILY":
            parts["BYMONTHDAY"] = str(anchor.day)
            if rule.frequency == "YEARLY":
                parts.setdefault("BYMONTH", str(anchor.month))
    parts.setdefault("BYHOUR", str(anchor.hour))
    parts.setdefault("BYMINUTE", str(anchor.minute))
    given = {"FREQ": rule.frequency, "INTERVAL": rule.interval, "WKST": DAYS[rule.week_start], **parts}
    return ";".join(f"{name}={value}" for name, value in given.items()) + f";BYSECOND={anchor.second}"


def _day(rule: RecurrenceRule, anchor: datetime, since: datetime) -> datetime:
    days = (since.date() - anchor.date()).days // rule.interval * rule.interval
    return datetime.combine(anchor.date() + timedelta(days=days), time())


def _week(rule: RecurrenceRule, anchor: datetime, since: datetime) -> datetime:
    first = anchor.date() - timedelta(days=(anchor.weekday() - rule.week_start) % 7)
    weeks = (since.date() - first).days // 7 // rule.interval * rule.interval
    return datetime.combine(first + timedelta(weeks=weeks), time())


def _month(rule: RecurrenceRule, anchor: datetime, since: datetime) -> datetime:
    first = anchor.year * 12 + anchor.month - 1
    month = first + (since.year * 12 + since.month - 1 - first) // rule.interval * rule.interval
    return datetime.combine(date(month // 12, month % 12 + 1, 1), time())


def _year(rule: RecurrenceRule, anchor: datetime, since: datetime) -> datetime:
    year = anchor.year + (since.year - anchor.year) // rule.interval * rule.interval
    return datetime.combine(date(year, 1, 1), time())


_PERIODS: Final[dict[str, Callable[[RecurrenceRule, datetime, datetime], datetime]]] = {
    "DAILY": _day,
    "WEEKLY": _week,
    "MONTHLY": _month,
    "YEARLY": _year,
}

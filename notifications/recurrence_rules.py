"""Rules that say when something recurs, as callers write them: cron expressions, and RRULEs of RFC 5545. Pure.

The one place where they are checked, for schedules and for windows of digests alike; which times they name is worked out by
`schedules/recurrence.py`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

from cronsim import CronSim, CronSimError

DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAY: Final = re.compile(r"([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU)\Z", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?\d{1,3}\Z", re.ASCII)
_UNTIL: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?\Z", re.ASCII)
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_RANGES: Final = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSETPOS": (-366, 366),
}
_MOST_TIMES_A_DAY: Final = 24
_MOST: Final = 1000
_SOME_TIME: Final = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall time


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """A rule taken apart. `until` is a wall time (naive) or a moment (UTC); both include themselves."""

    frequency: str
    interval: int
    count: int | None
    until: datetime | None
    week_start: int
    parts: dict[str, str]


def parse_rrule(text: str) -> RecurrenceRule:
    """The rule that `text` (`FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9`) says. Raises ValueError with a sentence for the caller."""
    parts = _split(text)
    frequency = parts.pop("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"FREQ must be one of {', '.join(_FREQUENCIES)}; below a day use cron or every.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("Give COUNT or UNTIL, not both.")
    week_start = parts.pop("WKST", "MO")
    if week_start not in DAYS:
        raise ValueError("WKST must be a day such as MO.")
    rule = RecurrenceRule(
        frequency=frequency,
        interval=_positive(parts.pop("INTERVAL", "1"), "INTERVAL"),
        count=_positive(parts.pop("COUNT"), "COUNT") if "COUNT" in parts else None,
        until=_until(parts.pop("UNTIL")) if "UNTIL" in parts else None,
        week_start=DAYS.index(week_start),
        parts=parts,
    )
    _check_lists(rule)
    return rule


def check_rrule(text: str) -> str:
    """A rule for `parse_rrule`. Raises ValueError with a sentence for the caller."""
    parse_rrule(text)
    return text


def _split(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for item in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, _, value = item.partition("=")
        if name not in ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_RANGES):
            raise ValueError(f"Rules are made of FREQ, INTERVAL, COUNT, UNTIL, WKST, BYDAY, {', '.join(_RANGES)}.")
        if name in parts:
            raise ValueError(f"{name} is given twice.")
        parts[name] = value
    return parts


def _positive(value: str, name: str) -> int:
    if not re.fullmatch(r"\d{1,4}", value, re.ASCII) or not 1 <= int(value) <= _MOST:
        raise ValueError(f"{name} must be a number from 1 to {_MOST}.")
    return int(value)


def _until(value: str) -> datetime:
    found = _UNTIL.match(value)
    if not found:
        raise ValueError("UNTIL must look like 20261231 or 20261231T225959Z.")
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
        if found[4] is None:
            return datetime.combine(day, time.max)
        moment = datetime.combine(day, time(int(found[4]), int(found[5]), int(found[6])))
    except ValueError as error:
        raise ValueError("UNTIL names no such time.") from error
    return moment.replace(tzinfo=UTC) if found[7] else moment


def _check_lists(rule: RecurrenceRule) -> None:
    sizes = {}
    for name, value in rule.parts.items():
        items = value.split(",")
        sizes[name] = len(items)
        if name == "BYDAY":
            _check_days(items, rule.frequency, in_months=rule.frequency == "MONTHLY" or "BYMONTH" in rule.parts)
            continue
        low, high = _RANGES[name]
        if not all(_NUMBER.match(item) and low <= int(item) <= high and (low >= 0 or int(item)) for item in items):
            raise ValueError(f"{name} must be numbers from {low} to {high}{' without 0' if low < 0 else ''}.")
    if "BYSETPOS" in rule.parts and len(rule.parts) == 1:
        raise ValueError("BYSETPOS chooses among the days another BY... part names.")
    if sizes.get("BYHOUR", 1) * sizes.get("BYMINUTE", 1) > _MOST_TIMES_A_DAY:
        raise ValueError(f"At most {_MOST_TIMES_A_DAY} times a day; for more use cron or every.")


def _check_days(items: list[str], frequency: str, *, in_months: bool) -> None:
    """A month has five of a weekday at most, a year 53."""
    found = [_WEEKDAY.match(item) for item in items]
    if not all(found):
        raise ValueError("BYDAY must be days such as MO, or 1MO and -1FR for the first and the last of a month.")
    if frequency in ("DAILY", "WEEKLY") and any(match and match[1] for match in found):
        raise ValueError("Numbered days in BYDAY go with MONTHLY and YEARLY.")
    most = 5 if in_months else 53
    if any(match and match[1] and abs(int(match[1])) > most for match in found):
        raise ValueError(f"Days in BYDAY are numbered from 1 to {most} here.")


def check_cron(expression: str) -> str:
    """A cron expression of five fields. Raises ValueError with a sentence for the caller."""
    if len(expression.split()) != 5 or expression != expression.strip():
        raise ValueError("A cron rule has five fields: minute, hour, day of month, month, day of week.")
    try:
        CronSim(expression, _SOME_TIME)
    except CronSimError as error:
        raise ValueError(f"Not a cron rule: {str(error).replace('Bad', 'there is a mistake in its')}.") from error
    return expression


def check_coming_cron(expression: str) -> str:
    """One that comes again and again, for what waits for it. Raises ValueError with a sentence for the caller."""
    if next(CronSim(check_cron(expression), _SOME_TIME), None) is None:
        raise ValueError("Not a cron rule: it never comes.")
    return expression

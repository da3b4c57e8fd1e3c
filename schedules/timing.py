"""What a schedule says about its times, apart from everything else it is. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from notifications.errors import Fault
from notifications.recurrence_rules import parse_rrule
from schedules.recurrence import At, Calendar, Cron, Every, Rule, occurrences

RULES: Final = ("cron", "at", "every", "rrule")
_SHORTEST: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Exactly one of the four rules, and the bounds of its times, which include themselves. Times are whole seconds in UTC."""

    cron: str | None = None
    at: datetime | None = None
    every: str | None = None
    rrule: str | None = None
    timezone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None

    def anchor(self, now: datetime) -> datetime:
        """What it counts from when it is set at `now`: its start, else now, for an RRULE on the next whole minute.

        An RRULE that says the hour and leaves the minute open means the whole hour, not the minute in which it happened to be set.
        """
        if self.start is not None:
            return self.start
        if self.rrule is None:
            return now.replace(microsecond=0)
        wall = now.astimezone(ZoneInfo(self.timezone))
        parts = parse_rrule(self.rrule).parts
        step = 60 if "BYHOUR" in parts and "BYMINUTE" not in parts else 1
        over = timedelta(minutes=wall.minute % step, seconds=wall.second, microseconds=wall.microsecond)
        return now + (timedelta(minutes=step) - over if over else timedelta())

    def rule(self, anchor: datetime) -> Rule:
        """The rule; `anchor` is what `every` and RRULE count from."""
        if self.at is not None:
            return At(self.at)
        if self.every is not None:
            return Every(parse_duration(self.every), anchor)
        zone = ZoneInfo(self.timezone)
        if self.cron is not None:
            return Cron(self.cron, zone)
        assert self.rrule is not None, "a schedule has a rule"
        return Calendar(parse_rrule(self.rrule), zone, anchor)

    def times(self, *, anchor: datetime, after: datetime) -> Iterator[datetime]:
        """The times later than `after`, ascending."""
        return occurrences(self.rule(anchor), after=after, start=self.start, end=self.end)

    def next_time(self, *, anchor: datetime, after: datetime) -> datetime | None:
        """The first time later than `after`; None when it is over."""
        return next(self.times(anchor=anchor, after=after), None)


def parse_duration(text: str) -> timedelta:
    """An ISO 8601 duration of a minute to 400 days. Raises ValueError with a sentence for the caller."""
    try:
        duration = msgspec.convert(text, timedelta)
    except msgspec.ValidationError as error:
        raise ValueError("Not a duration such as PT6H or P1D (ISO 8601, without months and years).") from error
    if not _SHORTEST <= duration <= _LONGEST or duration.microseconds:
        raise ValueError("Must be from PT1M to P400D, in whole seconds.")
    return duration


def check_duration(text: str) -> str:
    """A duration for `every`. Raises ValueError with a sentence for the caller."""
    parse_duration(text)
    return text


def check_timing(timing: Timing) -> list[Fault]:
    """What is wrong with the parts taken together."""
    given = [name for name in RULES if getattr(timing, name) is not None]
    if len(given) != 1:
        return [Fault(f"/{name}", "Give one of cron, at, every and rrule.") for name in given[1:]] or [
            Fault("", "Give one of cron, at, every and rrule.")
        ]
    faults = []
    if timing.start and timing.end and timing.end < timing.start:
        faults.append(Fault("/end", "Must not lie before start."))
    if given[0] == "at" and (timing.start or timing.end):
        faults.append(Fault("/start" if timing.start else "/end", "Once is once: leave start and end out."))
    return faults

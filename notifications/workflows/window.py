"""Windows of digests, checked when a workflow is saved; when they close is worked out by `schedules/windows.py`. Pure.

Their rules are those of schedules (`notifications/recurrence_rules.py`), but that they must go on.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from dateutil.rrule import rrulestr

from notifications import texts
from notifications.errors import Fault
from notifications.recurrence_rules import DAYS, check_coming_cron, parse_rrule
from notifications.workflows.definition import Window
from notifications.workflows.shapes import WindowIn

LONGEST: Final = timedelta(days=400)
RECIPIENT: Final = "recipient"

_SOME_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
_FAR: Final = timedelta(days=5 * 366)


def parse_window(given: WindowIn, pointer: str) -> tuple[Window, list[Fault]]:
    """The window, and what is wrong with it."""
    named = [name for name in ("for_", "sliding", "cron", "rrule") if getattr(given, name) is not None]
    if len(named) != 1:
        return Window(), [Fault(pointer, "Needs exactly one of for, sliding, cron and rrule.")]
    faults = _check_durations(given, pointer)
    faults += _check_rules(given, pointer)
    timed = given.cron is not None or given.rrule is not None
    window = Window(
        seconds=_seconds(given.for_),
        sliding_seconds=_seconds(given.sliding),
        max_seconds=_seconds(given.max),
        cron=given.cron,
        rrule=None if given.rrule is None else given.rrule.removeprefix("RRULE:"),
        timezone=(given.timezone or RECIPIENT) if timed else None,
    )
    return window, faults


def check_duration(value: timedelta) -> str | None:
    """Why a workflow cannot wait so long; None when it can."""
    return None if timedelta(seconds=1) <= value <= LONGEST else "Must last from one second to 400 days."


def check_rrule(value: str) -> str:
    """A recurrence rule that a window can follow: one that goes on. Raises ValueError with a sentence for the caller."""
    rule = parse_rrule(value)
    if rule.count is not None or rule.until is not None:
        raise ValueError("COUNT and UNTIL say when a rule ends; a window's goes on.")
    # Bounded, for that a rule never comes is only found out at the end of the calendar; and it comes again and again.
    parts = {"FREQ": rule.frequency, "INTERVAL": rule.interval, "WKST": DAYS[rule.week_start], **rule.parts}
    said = ";".join(f"{name}={part}" for name, part in parts.items())
    until = f"UNTIL={_SOME_DAY + _FAR:%Y%m%dT%H%M%SZ}"
    if len(list(islice(rrulestr(f"{said};{until}", dtstart=_SOME_DAY), 2))) < 2:
        raise ValueError("It does not come every five years.")
    return value


def _check_durations(given: WindowIn, pointer: str) -> list[Fault]:
    faults = []
    for name, value in (("for", given.for_), ("sliding", given.sliding), ("max", given.max)):
        if value is not None and (detail := check_duration(value)):
            faults.append(Fault(f"{pointer}/{name}", detail))
    if given.sliding is not None and given.max is None:
        faults.append(Fault(f"{pointer}/max", "A sliding window needs a maximum."))
    elif given.max is not None and given.sliding is None:
        faults.append(Fault(f"{pointer}/max", "Belongs to a sliding window."))
    elif given.max is not None and given.sliding is not None and given.max < given.sliding:
        faults.append(Fault(f"{pointer}/max", "Must not be shorter than sliding."))
    return faults


def _check_rules(given: WindowIn, pointer: str) -> list[Fault]:
    faults: list[Fault] = []
    for name, check, value in (("cron", check_coming_cron, given.cron), ("rrule", check_rrule, given.rrule)):
        _check(faults, f"{pointer}/{name}", check, value)
    if given.timezone is not None:
        if given.cron is None and given.rrule is None:
            faults.append(Fault(f"{pointer}/timezone", "Belongs to cron or rrule."))
        elif given.timezone != RECIPIENT:
            _check(faults, f"{pointer}/timezone", texts.check_timezone, given.timezone, " Or recipient.")
    return faults


def _check(faults: list[Fault], pointer: str, check: Callable[[str], str], value: str | None, more: str = "") -> None:
    try:
        if value is not None:
            check(value)
    except ValueError as error:
        faults.append(Fault(pointer, f"{error}{more}"))


def _seconds(value: timedelta | None) -> float | None:
    return None if value is None else value.total_seconds()

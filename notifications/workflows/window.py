"""Windows of digests, checked when a workflow is saved; when they close is worked out by `schedules/windows.py`. Pure."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from cronsim import CronSim, CronSimError
from dateutil.rrule import rrulestr

from notifications import texts
from notifications.errors import Fault
from notifications.workflows.definition import Window
from notifications.workflows.shapes import WindowIn

LONGEST: Final = timedelta(days=400)
RECIPIENT: Final = "recipient"

_SOME_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
_FAR: Final = timedelta(days=5 * 366)
_DAY: Final = "(MO|TU|WE|TH|FR|SA|SU)"
_PARTS: Final = {
    "FREQ": "DAILY|WEEKLY|MONTHLY",
    "INTERVAL": r"[1-9]\d{0,2}",
    "WKST": _DAY,
    "BYDAY": rf"([+-]?[1-5])?{_DAY}",
    "BYMONTH": r"[1-9]|1[0-2]",
    "BYMONTHDAY": r"[+-]?([1-9]|[12]\d|3[01])",
    "BYHOUR": r"1?\d|2[0-3]",
    "BYMINUTE": r"[1-5]?\d",
    "BYSETPOS": r"[+-]?([1-9]\d?|[12]\d\d|3[0-5]\d|36[0-6])",
}
_MOST_TIMES_A_DAY: Final = 24


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


def check_cron(value: str) -> str | None:
    """Why this is no cron expression of five fields; None when it is one."""
    if len(value.split()) != 5 or value != value.strip():
        return "A cron expression has five fields: minute, hour, day of month, month, day of week."
    try:
        next(CronSim(value, _SOME_DAY))
    except (CronSimError, StopIteration) as error:
        return f"Not a cron expression: {error or 'it never comes'}."
    return None


def check_rrule(value: str) -> str | None:
    """Why this is no recurrence rule that a window can follow; None when it is one. A part of what schedules may say."""
    rule = value.removeprefix("RRULE:")
    parts = {name: said.split(",") for name, _, said in (item.partition("=") for item in rule.split(";"))}
    if "FREQ" not in parts or len(parts) != rule.count(";") + 1 or not all(map(_is_part, parts, parts.values())):
        return f"Is made of FREQ=DAILY, WEEKLY or MONTHLY and {', '.join(list(_PARTS)[1:])}, each once, such as FREQ=WEEKLY;BYDAY=MO;BYHOUR=9."
    if parts["FREQ"] != ["MONTHLY"] and any(len(day) > 2 for day in parts.get("BYDAY", ())):
        return "Numbered days in BYDAY go with MONTHLY."
    if len(parts.get("BYHOUR", "1")) * len(parts.get("BYMINUTE", "1")) > _MOST_TIMES_A_DAY:
        return f"At most {_MOST_TIMES_A_DAY} times a day."
    if "BYSETPOS" in parts and not any(name.startswith("BY") for name in parts.keys() - {"BYSETPOS"}):
        return "BYSETPOS chooses among what another BY... part names."
    # Bounded, for that a rule never comes is only found out at the end of the calendar.
    until = f"UNTIL={_SOME_DAY + _FAR:%Y%m%dT%H%M%SZ}"
    return (
        None
        if next(iter(rrulestr(f"{rule};{until}", dtstart=_SOME_DAY)), None)
        else "It does not come within five years."
    )


def _is_part(name: str, said: list[str]) -> bool:
    form = _PARTS.get(name)
    alone = not name.startswith("BY")
    return (
        form is not None and (len(said) == 1 or not alone) and all(re.fullmatch(form, item, re.ASCII) for item in said)
    )


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
    faults = []
    if given.cron is not None and (detail := check_cron(given.cron)):
        faults.append(Fault(f"{pointer}/cron", detail))
    if given.rrule is not None and (detail := check_rrule(given.rrule)):
        faults.append(Fault(f"{pointer}/rrule", detail))
    if given.timezone is not None:
        if given.cron is None and given.rrule is None:
            faults.append(Fault(f"{pointer}/timezone", "Belongs to cron or rrule."))
        elif given.timezone != RECIPIENT:
            try:
                texts.check_timezone(given.timezone)
            except ValueError as error:
                faults.append(Fault(f"{pointer}/timezone", f"{error} Or recipient."))
    return faults


def _seconds(value: timedelta | None) -> float | None:
    return None if value is None else value.total_seconds()

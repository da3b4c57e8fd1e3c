"""The page's form: what it shows of somebody's preferences, and what its answer makes of them. Pure.

Each switch on the page is a cell, `<category> <channel>`, with `*` for whatever has no category of its own. The form says which
cells it showed and which of them are on; only what differs from what holds anyway is written down, so that the project's
choices go on holding for those who did not choose. What the page cannot show (workflows, further intervals of a day) stays.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from notifications.preferences.changing import Settings, switch, switch_channel
from notifications.preferences.deciding import cadence, decide
from notifications.preferences.parsing import parse_preferences
from notifications.preferences.shapes import DAYS, EMPTY, Cadence, Preferences

EVERYTHING_ELSE: Final = "*"
EMAIL: Final = "email"
STOP: Final = "stop"
MOST_CELLS: Final = 500
NIGHT: Final = ("22:00", "07:00")
_MORNING: Final = "09:00"
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_CLOCKED: Final = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* (\*|[0-7])", re.ASCII)
_CRON_DAYS: Final = (1, 2, 3, 4, 5, 6, 0)
"""Cron's numbers of the days, Monday first."""

Form = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A cadence as the page offers it; `kind` is one of `Words.cadences` or `own`, then `cron` says which."""

    kind: str
    time: str = _MORNING
    weekday: int = 0
    cron: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """The quiet hours of one day; `further` are intervals that the page shows and keeps."""

    quiet: bool
    start: str
    end: str
    further: tuple[str, ...] = ()


def is_on(category: str, channel: str, own: Preferences, defaults: Preferences) -> bool:
    """Whether a cell is on."""
    key = None if category == EVERYTHING_ELSE else category
    return decide(channel, category=key, own=own, defaults=defaults).allowed


def changed(settings: Settings, defaults: Settings, form: Form, *, known: Iterable[str]) -> Settings:
    """`settings` as the form's answer wants them; `known` are the channels that there are."""
    cells = [cell for cell in dict.fromkeys(form.get("shown", ())) if cell.count(" ") == 1][:MOST_CELLS]
    on_cells = set(form.get("on", ()))
    wanted = {(cell.split(" ")[0], cell.split(" ")[1]): cell in on_cells for cell in cells}
    project = parse_preferences(defaults)
    if STOP in form:
        wanted = {(key, channel): on and channel != EMAIL for (key, channel), on in wanted.items()}
        settings = _without_yes(settings, known)
    # First what holds for everything else, since the others may have gone by it.
    for (category, channel), on in sorted(wanted.items(), key=lambda cell: cell[0][0] != EVERYTHING_ELSE):
        if is_on(category, channel, parse_preferences(settings), project) == on:
            continue
        if category == EVERYTHING_ELSE:
            settings = switch_channel(settings, channel, on)
        else:
            settings = switch(settings, "categories", category, channel, on, known=known)
    return _with_hours(_with_rhythms(settings, defaults, form), defaults, form)


def rhythm_of(found: Cadence | None) -> Rhythm:
    """A cadence as the page offers it."""
    if found is None:
        return Rhythm("default")
    if found.cron is None:
        return Rhythm("at_once")
    if found.cron == "0 * * * *":
        return Rhythm("hourly")
    match = _CLOCKED.fullmatch(found.cron)
    if match is None:
        return Rhythm("own", cron=found.cron)
    at = f"{int(match[2]):02}:{int(match[1]):02}"
    if match[3] == "*":
        return Rhythm("daily", at)
    return Rhythm("weekly", at, _CRON_DAYS.index(int(match[3]) % 7))


def days_of(settings: Settings, defaults: Settings, form: Form | None = None) -> list[Day]:
    """The quiet hours of each day, Monday first: those in force, or as the form has them."""
    weekly = _hours(settings, defaults).get("weekly") or {}
    found = []
    for day in DAYS:
        first, *others = weekly.get(day) or [{}]
        start, end = first.get("from", NIGHT[0]), first.get("until", NIGHT[1])
        quiet = bool(first)
        if form is not None:
            quiet = day in form.get("quiet", ())
            start, end = _given(form, f"from {day}", start), _given(form, f"until {day}", end)
        further = tuple(f"{entry['from']}–{entry['until']}" for entry in others)
        found.append(Day(quiet, start, "00:00" if end == "24:00" else end, further))
    return found


def _with_hours(settings: Settings, defaults: Settings, form: Form) -> Settings:
    if "hours" not in form:
        return settings
    before = _hours(settings, defaults)
    entries = before.get("weekly") or {}
    weekly: dict[str, Any] = {}
    for name, day in zip(DAYS, days_of(settings, defaults, form), strict=True):
        if day.quiet:
            end = "24:00" if day.end == "00:00" else day.end  # a day's end, as a clock shows it
            weekly[name] = [{"from": day.start, "until": end}, *(entries.get(name) or [])[1:]]
    if weekly == {day: spans for day, spans in entries.items() if spans}:
        return settings
    return {**settings, "quiet_hours": {**before, "weekly": weekly}}


def _with_rhythms(settings: Settings, defaults: Settings, form: Form) -> Settings:
    own, project = parse_preferences(settings), parse_preferences(defaults)
    digests = dict(settings.get("digests") or {})
    for category in form.get("rhythm_of", ()):
        before = rhythm_of(cadence(category, own=own, defaults=project))
        kind = _first(form, f"rhythm {category}", before.kind)
        if kind == "default":
            if before.kind != kind:
                digests.pop(category, None)
        elif (entry := _entry(kind, category, form, before)) and rhythm_of(Cadence(entry.get("cron"))) != before:
            digests[category] = entry
    return {**settings, "digests": digests} if digests != (settings.get("digests") or {}) else settings


def _entry(kind: str, category: str, form: Form, before: Rhythm) -> dict[str, Any] | None:
    time = _given(form, f"time {category}", before.time)
    hour, minute = int(time[:2]), int(time[3:])
    weekday = _first(form, f"weekday {category}", str(before.weekday))
    day = _CRON_DAYS[int(weekday)] if weekday in {"0", "1", "2", "3", "4", "5", "6"} else 1
    crons = {"hourly": "0 * * * *", "daily": f"{minute} {hour} * * *", "weekly": f"{minute} {hour} * * {day}"}
    if kind == "at_once":
        return {"at_once": True}
    return {"cron": crons[kind]} if kind in crons else None


def _without_yes(settings: Settings, known: Iterable[str]) -> Settings:
    """Whoever stops all mail also means the workflows that were once switched on for it."""
    own = parse_preferences(settings) if settings else EMPTY
    for key in own.workflows:
        if decide(EMAIL, workflow=key, own=own).allowed:
            settings = switch(settings, "workflows", key, EMAIL, False, known=known)
    for key in own.categories:
        if decide(EMAIL, category=key, own=own).allowed:
            settings = switch(settings, "categories", key, EMAIL, False, known=known)
    return settings


def _hours(settings: Settings, defaults: Settings) -> dict[str, Any]:
    """The quiet hours in force."""
    own = settings.get("quiet_hours")
    return (own if own is not None else defaults.get("quiet_hours")) or {}


def _first(form: Form, name: str, otherwise: str) -> str:
    return next(iter(form.get(name, ())), otherwise)


def _given(form: Form, name: str, otherwise: str) -> str:
    said = _first(form, name, otherwise)
    return said if _TIME.fullmatch(said) else otherwise

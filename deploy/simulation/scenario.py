"""What a scenario says: who there is, what is set up, what happens when. Pure; everything that needs no database is checked here.

    {"name": "...", "start": "2027-03-01T08:00:00Z", "until": "P7D",      # until: a time, or how long
     "project": {...},                       # as PATCH /v1/project: timezone, default_locale, preferences, caps, ...
     "recipients": [{"id": "ana", "email": ..., "timezone": ..., "locale": ...,
                     "preferences": {...}, "endpoints": [{"channel": "webhook", "url": ...}]}],
     "topics": {"team": ["ana", "bo"]},
     "workflows": {"comment": {...}, "incident": "example"},              # as PUT /v1/workflows/..., or one of the examples
     "schedules": {"monday": {"cron": ..., "timezone": ..., "notification": {...}}},
     "events": [{"at": "PT2H", "notify": {...}, "name": "first", "every": "PT10M", "times": 3},
                {"at": "2027-03-02T09:00:00+01:00", "cancel": "first"}]}

`at` is a time with an offset, or how long after the start. An event does one of these: `notify` (a body of POST /v1/notifications; its
`name`, with -1, -2... where it repeats, is how others speak of it), `cancel`, `acknowledge` ("name", or {notification,
recipient}), `seen` and `read` ("recipient", or {recipient, notification}).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from deploy.simulation.cast import Cast, parse_cast
from notifications import texts
from notifications.conf import conf
from notifications.decoding import convert
from notifications.errors import Fault, Invalid
from notifications.intake.submission import parse_submission

LONGEST: Final = timedelta(days=400)
_MOST_REPEATS: Final = 10_000
_NOBODY: Final = UUID(int=0)


class ScenarioIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario file as it is written."""

    start: str
    until: str
    name: str = ""
    project: dict[str, Any] = {}
    recipients: list[dict[str, Any]] = []
    topics: dict[str, list[str]] = {}
    workflows: dict[str, Any] = {}
    schedules: dict[str, dict[str, Any]] = {}
    events: list[dict[str, Any]] = []


class AboutIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom and what an event is about, said at length."""

    notification: str | None = None
    recipient: str | None = None


class EventIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event as it is written."""

    at: str
    notify: dict[str, Any] | None = None
    cancel: str | None = None
    acknowledge: str | AboutIn | None = None
    seen: str | AboutIn | None = None
    read: str | AboutIn | None = None
    name: str | None = None
    every: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that somebody does at one moment."""

    at: datetime
    action: str
    pointer: str
    body: Mapping[str, Any] | None = None
    name: str | None = None
    """Of what is asked for here, or of the notification that this is about."""
    recipient: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A checked scenario; what happens is in the order in which it does."""

    name: str
    start: datetime
    until: datetime
    timezone: str
    """The project's: in which times are told."""
    cast: Cast
    happenings: tuple[Happening, ...]


ACTIONS: Final = ("notify", "cancel", "acknowledge", "seen", "read")


def parse_scenario(raw: Any) -> Scenario:
    """Check a decoded scenario file. Raises `Invalid` with every fault that was found."""
    given = convert(raw, ScenarioIn)
    faults: list[Fault] = []
    start = _time(given.start, "/start", faults)
    until = _moment(given.until, start, "/until", faults)
    if until <= start or until - start > LONGEST:
        faults.append(Fault("/until", f"Must lie after the start, at most {LONGEST.days} days."))
    cast = parse_cast(given, faults)
    happenings = [
        h for index, event in enumerate(given.events) for h in _happenings(event, index, start, until, faults)
    ]
    _check_names(happenings, faults)
    if faults:
        raise Invalid(faults)
    timezone = str(given.project.get("timezone") or "UTC")
    happenings.sort(key=lambda happening: happening.at)
    return Scenario(
        name=given.name, start=start, until=until, timezone=timezone, cast=cast, happenings=tuple(happenings)
    )


def _time(text: str, pointer: str, faults: list[Fault]) -> datetime:
    try:
        return texts.parse_time(text)
    except ValueError as error:
        faults.append(Fault(pointer, str(error)))
        return datetime.fromisoformat("2000-01-01T00:00:00Z")


def _moment(text: str, start: datetime, pointer: str, faults: list[Fault]) -> datetime:
    """A time, or a duration after the start."""
    if text.startswith("P"):
        return start + _duration(text, pointer, faults)
    return _time(text, pointer, faults)


def _duration(text: str, pointer: str, faults: list[Fault]) -> timedelta:
    try:
        duration = msgspec.convert(text, timedelta)
        if not timedelta() <= duration <= LONGEST:
            raise ValueError
    except (msgspec.ValidationError, ValueError):
        detail = f"Not a duration such as PT2H or P1D (ISO 8601), of at most {LONGEST.days} days."
        faults.append(Fault(pointer, detail))
        return timedelta(seconds=1)
    return duration


def _happenings(
    raw: dict[str, Any], index: int, start: datetime, until: datetime, faults: list[Fault]
) -> Iterator[Happening]:
    pointer = f"/events/{index}"
    try:
        event = convert(raw, EventIn, pointer)
    except Invalid as error:
        faults.extend(error.faults)
        return
    named = [action for action in ACTIONS if getattr(event, action) is not None]
    if len(named) != 1:
        faults.append(Fault(pointer, f"Say one of {', '.join(ACTIONS)}."))
        return
    at = _moment(event.at, start, f"{pointer}/at", faults)
    if not start <= at <= until:
        faults.append(Fault(f"{pointer}/at", "Lies outside the scenario."))
    every = timedelta() if event.every is None else _duration(event.every, f"{pointer}/every", faults)
    if not 1 <= event.times <= _MOST_REPEATS or (event.times > 1) != (event.every is not None):
        faults.append(Fault(f"{pointer}/times", f"With `every` 2 to {_MOST_REPEATS}; else leave it out."))
        return
    if event.notify is not None:
        _check_body(event.notify, at, f"{pointer}/notify", faults)
    for number in range(event.times):
        yield _happening(event, named[0], at + number * every, number, pointer)


def _happening(event: EventIn, action: str, at: datetime, number: int, pointer: str) -> Happening:
    if action == "notify":
        name = f"{event.name}-{number + 1}" if event.name and event.times > 1 else event.name
        return Happening(at, action, pointer, body=event.notify, name=name)
    said = getattr(event, action)
    if isinstance(said, AboutIn):
        return Happening(at, action, pointer, name=said.notification, recipient=said.recipient)
    if action in ("seen", "read"):
        return Happening(at, action, pointer, recipient=said)
    return Happening(at, action, pointer, name=said)


def _check_body(body: dict[str, Any], at: datetime, pointer: str, faults: list[Fault]) -> None:
    try:
        parse_submission(body, project_id=_NOBODY, conf=conf(), now=at)
    except Invalid as error:
        faults.extend(Fault(f"{pointer}{fault.pointer}", fault.detail) for fault in error.faults)


def _check_names(happenings: list[Happening], faults: list[Fault]) -> None:
    """A name is one notification's, and whoever is spoken of is there."""
    asked: dict[str, datetime] = {}
    for each in happenings:
        if each.action == "notify" and each.name is not None:
            if each.name in asked:
                faults.append(Fault(f"{each.pointer}/name", f"There is a {each.name!r} already."))
            asked[each.name] = each.at
    for each in happenings:
        if each.action in ("seen", "read") and each.recipient is None:
            faults.append(Fault(f"{each.pointer}/{each.action}/recipient", "Say whose."))
        if each.action in ("cancel", "acknowledge") and each.name is None:
            faults.append(Fault(f"{each.pointer}/{each.action}/notification", "Say which."))
        if each.action != "notify" and each.name is not None and asked.get(each.name, each.at) > each.at:
            faults.append(Fault(f"{each.pointer}/{each.action}", f"{each.name!r} is asked for only later."))
        elif each.action != "notify" and each.name is not None and each.name not in asked:
            faults.append(Fault(f"{each.pointer}/{each.action}", f"No event has the name {each.name!r}."))

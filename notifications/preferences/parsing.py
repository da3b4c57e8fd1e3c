"""Preferences as JSON: checked strictly when they come in, read quickly when they are stored. Pure.

    {"channels": {"sms": false},
     "categories": {"collab": {"email": false}, "news": false},
     "workflows": {"comment": {"in_app": true}},
     "quiet_hours": {"policy": "defer", "weekly": {"monday": [{"from": "22:00", "until": "07:00"}]}, "channels": ["push"]},
     "digests": {"collab": {"cron": "0 9 * * *"}, "orders": {"at_once": true}}}

A category or workflow is switched as a whole or by channel. An interval whose `until` is not after its `from` ends on the next
day. `channels` of quiet hours: which ones they mean, left out: all.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from notifications import texts
from notifications.errors import Fault, Invalid
from notifications.preferences.shapes import (
    DAYS,
    DEFER,
    EMPTY,
    POLICIES,
    Cadence,
    Interval,
    Preferences,
    QuietHours,
    Weekly,
)
from notifications.recurrence_rules import check_coming_cron

MAX_ENTRIES: Final = 1000
MAX_INTERVALS: Final = 24
_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
_CHANNEL: Final = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z|24:00\Z", re.ASCII)
_decode = msgspec.json.Decoder().decode


def parse_preferences(raw: Any, *, at: str = "") -> Preferences:
    """Somebody's preferences; `at` is the pointer of `raw` itself. Raises `Invalid`, with everything that is wrong."""
    faults: list[Fault] = []
    _check_members(raw, at, _PARTS, faults)
    if faults:
        raise Invalid(faults)
    for name, check in _PARTS.items():
        if name in raw:
            check(raw[name], f"{at}/{name}", faults)
    if faults:
        raise Invalid(faults)
    return _build(raw)


@lru_cache(maxsize=16_384)
def read_preferences(stored: str | None) -> Preferences:
    """What `parse_preferences` once found acceptable, from the text of its JSON; None: nothing was ever said."""
    found = _build(_decode(stored)) if stored else EMPTY
    return EMPTY if found == EMPTY else found  # by which whoever decides knows it


def _build(raw: Mapping[str, Any]) -> Preferences:
    hours = raw.get("quiet_hours")
    digests = raw.get("digests")
    return Preferences(
        channels=raw.get("channels", {}),
        categories=raw.get("categories", {}),
        workflows=raw.get("workflows", {}),
        quiet_hours=_quiet_hours(hours) if hours is not None else None,
        digests={key: Cadence(entry.get("cron")) for key, entry in digests.items()} if digests else {},
    )


def _quiet_hours(raw: Mapping[str, Any]) -> QuietHours:
    channels = raw.get("channels")
    return QuietHours(
        weekly=_weekly(raw.get("weekly", {})),
        policy=raw.get("policy", DEFER),
        channels=None if channels is None else frozenset(channels),
    )


def _weekly(raw: Mapping[str, Any]) -> Weekly:
    return tuple(tuple(sorted(_interval(entry) for entry in raw.get(day, ()))) for day in DAYS)


def _interval(entry: Mapping[str, str]) -> Interval:
    start, end = _minutes(entry["from"]), _minutes(entry["until"])
    return start, end if end > start else end + _DAY


def _minutes(said: str) -> int:
    return int(said[:2]) * 60 + int(said[3:])


def _check_members(raw: Any, at: str, known: Mapping[str, Any] | tuple[str, ...], faults: list[Fault]) -> bool:
    """Whether `raw` is an object whose members are all known."""
    if not isinstance(raw, dict):
        faults.append(Fault(at, "Must be an object."))
        return False
    unknown = raw.keys() - set(known)
    faults.extend(Fault(f"{at}/{texts.escape_pointer(texts.printable(name))}", "Unknown field.") for name in unknown)
    return True


def _check_channels(raw: Any, at: str, faults: list[Fault]) -> None:
    for name, value, pointer in _entries(raw, at, faults):
        if not _CHANNEL.match(name):
            faults.append(Fault(pointer, "Not a channel's name."))
        if not isinstance(value, bool):
            faults.append(Fault(pointer, "Must be true or false."))


def _check_switches(raw: Any, at: str, faults: list[Fault]) -> None:
    for name, value, pointer in _entries(raw, at, faults):
        _check_key(name, pointer, faults)
        if isinstance(value, dict):
            _check_channels(value, pointer, faults)
        elif not isinstance(value, bool):
            faults.append(Fault(pointer, "Must be true or false, or an object with one of these per channel."))


def _check_quiet_hours(raw: Any, at: str, faults: list[Fault]) -> None:
    if raw is None:  # none of one's own
        return
    if not _check_members(raw, at, ("policy", "weekly", "channels"), faults):
        return
    if raw.get("policy", DEFER) not in POLICIES:
        faults.append(Fault(f"{at}/policy", f"Must be one of {', '.join(POLICIES)}."))
    channels = raw.get("channels", [])
    if not isinstance(channels, list) or not all(isinstance(name, str) and _CHANNEL.match(name) for name in channels):
        faults.append(Fault(f"{at}/channels", "Must be a list of channels' names."))
    before = len(faults)
    if _check_members(raw.get("weekly", {}), f"{at}/weekly", DAYS, faults):
        for day, entries in raw.get("weekly", {}).items():
            _check_day(entries, f"{at}/weekly/{texts.escape_pointer(texts.printable(day))}", faults)
    if len(faults) == before and _is_whole_week(_weekly(raw.get("weekly", {}))):
        faults.append(Fault(f"{at}/weekly", "The whole week would be quiet; switch channels off instead."))


def _check_day(entries: Any, at: str, faults: list[Fault]) -> None:
    if not isinstance(entries, list) or len(entries) > MAX_INTERVALS:
        faults.append(Fault(at, f"Must be a list of at most {MAX_INTERVALS} intervals."))
        return
    for index, entry in enumerate(entries):
        pointer = f"{at}/{index}"
        if not _check_members(entry, pointer, ("from", "until"), faults):
            continue
        wrong = [
            Fault(f"{pointer}/{name}", "Must be a time of day such as 07:00.")
            for name in ("from", "until")
            if not isinstance(entry.get(name), str) or not _TIME.match(entry[name])
        ]
        faults.extend(wrong)
        if not wrong and entry["from"] == "24:00":
            faults.append(Fault(f"{pointer}/from", "Must be before 24:00."))
        elif not wrong and entry["from"] == entry["until"]:
            faults.append(
                Fault(f"{pointer}/until", "Must not be the same as `from`; a whole day is 00:00 until 24:00.")
            )


def _is_whole_week(weekly: Weekly) -> bool:
    """Whether nothing of a week of this clock is left; then nothing would ever come through."""
    spans = [(day * _DAY + start, day * _DAY + end) for day, own in enumerate(weekly) for start, end in own]
    spans += [(start - _WEEK, end - _WEEK) for start, end in spans if end > _WEEK]
    reached = 0
    for start, end in sorted(spans):
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= _WEEK


def _check_digests(raw: Any, at: str, faults: list[Fault]) -> None:
    for name, value, pointer in _entries(raw, at, faults):
        _check_key(name, pointer, faults)
        if value == {"at_once": True} and value["at_once"] is True:
            continue
        if not isinstance(value, dict) or value.keys() != {"cron"} or not _is_cron(value["cron"]):
            faults.append(Fault(pointer, 'Must be {"cron": "<five fields>"} or {"at_once": true}.'))


def _is_cron(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) <= 100 and bool(check_coming_cron(value))
    except ValueError:
        return False


def _check_key(name: str, pointer: str, faults: list[Fault]) -> None:
    try:
        texts.check_key(name)
    except ValueError as error:
        faults.append(Fault(pointer, str(error)))


def _entries(raw: Any, at: str, faults: list[Fault]) -> list[tuple[str, Any, str]]:
    """Name, value and pointer of each member of what must be an object of bearable size."""
    if not isinstance(raw, dict):
        faults.append(Fault(at, "Must be an object."))
        return []
    if len(raw) > MAX_ENTRIES:
        faults.append(Fault(at, f"At most {MAX_ENTRIES} entries."))
        return []
    return [(name, value, f"{at}/{texts.escape_pointer(texts.printable(name))}") for name, value in raw.items()]


_PARTS: Final[Mapping[str, Callable[[Any, str, list[Fault]], None]]] = {
    "channels": _check_channels,
    "categories": _check_switches,
    "workflows": _check_switches,
    "quiet_hours": _check_quiet_hours,
    "digests": _check_digests,
}

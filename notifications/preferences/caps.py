"""How many deliveries one recipient gets in a time: a project's frequency caps. Pure.

{"channels": {"email": {"limit": 5, "per": "PT1H"}}, "categories": {"collab": {"limit": 20, "per": "P1D"}}}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec

from notifications import texts
from notifications.errors import Fault, Invalid

MAX_LIMIT: Final = 1000
MAX_WINDOW: Final = timedelta(days=31)
_PARTS: Final = ("channels", "categories")


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` deliveries in any `window_seconds`; `key` names what is counted together."""

    key: str
    limit: int
    window_seconds: float


@dataclass(frozen=True, slots=True)
class Caps:
    """All caps of one project."""

    channels: Mapping[str, Cap]
    categories: Mapping[str, Cap]

    def holding(self, channel: str, category: str | None) -> tuple[Cap, ...]:
        """Those that a delivery of this category over this channel has to keep, all of them."""
        found = (self.channels.get(channel), self.categories.get(category) if category is not None else None)
        return tuple(cap for cap in found if cap is not None)

    def __bool__(self) -> bool:
        return bool(self.channels or self.categories)


NONE: Final = Caps({}, {})


def parse_caps(raw: Any, *, at: str = "") -> Caps:
    """A project's caps; `at` is the pointer of `raw` itself. Raises `Invalid`, with everything that is wrong."""
    if not isinstance(raw, dict):
        raise Invalid([Fault(at, "Must be an object.")])
    faults = [
        Fault(f"{at}/{texts.escape_pointer(texts.printable(name))}", "Unknown field.")
        for name in raw.keys() - set(_PARTS)
    ]
    found: dict[str, dict[str, Cap]] = {}
    for part in _PARTS:
        found[part] = {}
        entries = raw.get(part, {})
        if not isinstance(entries, dict):
            faults.append(Fault(f"{at}/{part}", "Must be an object."))
            continue
        for name, entry in entries.items():
            pointer = f"{at}/{part}/{texts.escape_pointer(texts.printable(name))}"
            cap, wrong = _cap(part, name, entry, pointer)
            faults += wrong
            if cap is not None:
                found[part][name] = cap
    if faults:
        raise Invalid(faults)
    return Caps(found["channels"], found["categories"])


@lru_cache(maxsize=1024)
def read_caps(stored: str | None) -> Caps:
    """What `parse_caps` once found acceptable, from the text of its JSON."""
    return (stored and parse_caps(msgspec.json.decode(stored))) or NONE


def _cap(part: str, name: str, entry: Any, at: str) -> tuple[Cap | None, list[Fault]]:
    try:
        texts.check_key(name)
    except ValueError as error:
        return None, [Fault(at, str(error))]
    if not isinstance(entry, dict) or entry.keys() != {"limit", "per"}:
        return None, [Fault(at, 'Must be {"limit": <count>, "per": "<ISO 8601 duration>"}.')]
    limit, window = entry["limit"], _duration(entry["per"])
    faults = []
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_LIMIT:
        faults.append(Fault(f"{at}/limit", f"Must be a whole number from 1 to {MAX_LIMIT}."))
    if window is None:
        faults.append(Fault(f"{at}/per", "Must be an ISO 8601 duration such as PT1H, of 1 second to 31 days."))
    if faults or window is None:
        return None, faults
    return Cap(f"{part}:{name}", limit, window.total_seconds()), []


def _duration(value: Any) -> timedelta | None:
    if not isinstance(value, str):
        return None
    try:
        found = msgspec.convert(value, timedelta)
    except msgspec.ValidationError:
        return None
    return found if timedelta(seconds=1) <= found <= MAX_WINDOW else None

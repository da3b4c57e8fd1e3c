"""What a walk through a workflow noted, as sentences. Pure."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

Detail = Mapping[str, Any]


def _throttled(detail: Detail) -> str:
    return f"put off: {detail['limit']} in {_span(detail['window_seconds'])} have gone before"


def _skipped(detail: Detail) -> str:
    return f"skipped: {_rule(detail)} does not hold"


def _condition(detail: Detail) -> str:
    goes = f", on to {detail['goes_to']}" if detail.get("goes_to") else ", which ends the walk"
    return f"{_rule(detail)} does not hold{goes}"


_SAYS: Final[Mapping[str, Callable[[Detail], str]]] = {
    "skipped": _skipped,
    "condition": _condition,
    "not_asked_for": lambda detail: f"skipped: the request does not name {detail['channel']}",
    "delayed": lambda detail: "waits",
    "no_time": lambda detail: f"does not wait: {detail['error']}",
    "no_key": lambda detail: f"its key cannot be told: {detail['error']}",
    "throttled": _throttled,
    "dropped": lambda detail: f"dropped: {detail['limit']} in {_span(detail['window_seconds'])} have gone before",
    "at_once_by_preference": lambda detail: "not collected: the recipient wants each at once",
    "first_at_once": lambda detail: "the first goes at once, and what follows is collected",
    "digest_closed": lambda detail: f"the digest closes with {detail['items']}",
    "digest_empty": lambda detail: "the digest closes empty",
    "reached": lambda detail: f"reached over {detail['channel']}: {detail['until']}",
    "no_way": lambda detail: f"{detail['channel']} does not reach the recipient",
    "exhausted": lambda detail: f"no channel is left, and it is not {detail['until']}",
    "acknowledged": lambda detail: f"acknowledged after {detail['rounds']} rounds: nobody else is told",
    "unanswered": lambda detail: f"nobody acknowledged in {detail['rounds']} rounds",
    "escalated": lambda detail: f"round {detail['round']}: {detail['to']} is told",
    "nobody_to_call": lambda detail: f"round {detail['round']}: nobody is left to be told",
}
CODES: Final = frozenset(_SAYS)


def sentence(code: str, detail: Detail) -> str:
    """One decision; a code that is not known stands for itself."""
    says = _SAYS.get(code)
    try:
        return code.replace("_", " ") if says is None else says(detail)
    except KeyError:
        return code.replace("_", " ")


def until_of(detail: Detail) -> datetime | None:
    """Until when it waits, where it does."""
    until = detail.get("until")
    try:
        return datetime.fromisoformat(until) if isinstance(until, str) else None
    except ValueError:
        return None  # of a fallback: `seen`


def _rule(detail: Detail) -> str:
    said = json.dumps(detail.get("condition"), ensure_ascii=False, separators=(",", ":"))
    return f"{said[:77]}..." if len(said) > 80 else said


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"

"""Times as people at night read them, and ids as a cheap index of time. Pure."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from notifications.clock import utc_now

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def first_id_since(moment: datetime) -> UUID:
    """The smallest UUIDv7 made at `moment`: rows since then are a range of the primary key, which needs no other index."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80))


def since(span: timedelta, *, now: datetime | None = None) -> UUID:
    """`first_id_since` of `span` ago."""
    return first_id_since((now or utc_now()) - span)


def span_text(span: timedelta) -> str:
    """`3 min`, `2 h`, `5 d`: one unit, rounded down; less than a second is `now`."""
    seconds = int(abs(span).total_seconds())
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"


def ago(moment: datetime | None, *, now: datetime | None = None) -> str:
    """How far `moment` lies from now, either way: `3 min ago`, `in 2 h`; a dash for none."""
    if moment is None:
        return "–"
    distance = (now or utc_now()) - moment
    text = span_text(distance)
    if text == "now":
        return "just now"
    return f"{text} ago" if distance > timedelta(0) else f"in {text}"


def duration_text(milliseconds: int | None) -> str:
    """`84 ms`, `1.2 s`, `61 s`."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 10_000 else f"{milliseconds // 1000} s"

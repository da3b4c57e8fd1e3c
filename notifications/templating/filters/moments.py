"""Dates and times as the recipient reads them: in the locale's words, at the clock of the time zone.

{{ data.due | date }}               Jan 31, 2026          short, medium (the default), long, full
{{ data.due | date: "%d. %B %Y" }}  31. January 2026      the usual signs of strftime, in the locale's words
{{ data.due | date: "EEEE" }}       Saturday              or a pattern of Unicode's LDML
{{ data.due | time }}               9:00 AM
{{ data.due | datetime: "long" }}
{{ data.due | relative }}           in 3 days

A time is RFC 3339 text, a date, seconds since 1970, or "now". A time without an offset is UTC; a date alone stays that day
everywhere. What is no time is shown as it is.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import date as day_type
from typing import Any, Final

from babel import Locale, dates
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import is_undefined

from notifications.templating.context import Context
from notifications.templating.locales import locale_of, zone_of
from notifications.templating.plain import text_of

_STYLES: Final = ("short", "medium", "long", "full")
_STRFTIME: Final = {
    "a": "EEE", "A": "EEEE", "b": "MMM", "h": "MMM", "B": "MMMM", "d": "dd", "-d": "d", "e": "d", "H": "HH", "-H": "H",
    "I": "hh", "-I": "h", "l": "h", "j": "DDD", "m": "MM", "-m": "M", "M": "mm", "p": "a", "P": "a", "S": "ss", "y": "yy",
    "Y": "yyyy", "Z": "zzz", "z": "ZZZ", "F": "yyyy-MM-dd", "T": "HH:mm:ss", "R": "HH:mm", "D": "MM/dd/yy",
}  # fmt: skip
_DIRECTIVE: Final = re.compile(r"%(-?[A-Za-z])|%%|[^%]+|%")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z")
_LONGEST_FORMAT: Final = 100


@with_context
def date(value: Any, style: Any = "medium", *, context: Context) -> Any:
    """The day."""
    return _show(dates.format_date, value, style, context)


@with_context
def time(value: Any, style: Any = "short", *, context: Context) -> Any:
    """The time of day."""
    return _show(dates.format_time, value, style, context)


@with_context
def datetime_(value: Any, style: Any = "medium", *, context: Context) -> Any:
    """Both."""
    return _show(dates.format_datetime, value, style, context)


@with_context
def relative(value: Any, *, context: Context) -> Any:
    """How long ago, or in how long."""
    moment = _moment(value, context)
    if moment is None:
        return value
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=zone_of(context.given.timezone))
    locale = locale_of(context.given.locale)
    return dates.format_timedelta(moment - context.given.now, add_direction=True, locale=locale)


def _show(written: Callable[..., str], value: Any, style: Any, context: Context) -> Any:
    moment, locale = _moment(value, context), locale_of(context.given.locale)
    if moment is None:
        return value
    style = text_of(style)
    if len(style) > _LONGEST_FORMAT:
        raise FilterArgumentError(f"a format has at most {_LONGEST_FORMAT} characters", token=None)
    if style not in _STYLES:
        return _by_pattern(moment, style, locale)
    if not isinstance(moment, datetime):
        return dates.format_date(moment, style, locale=locale) if written is not dates.format_time else ""
    return written(moment, style, locale=locale)


def _by_pattern(moment: day_type, pattern: str, locale: Locale) -> str:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if "%" not in pattern:
        return str(dates.parse_pattern(pattern).apply(moment, locale))
    said = []
    for found in _DIRECTIVE.finditer(pattern):
        if found[1] is None:
            said.append("%" if found[0] == "%%" else found[0])
        elif found[1] == "s":
            said.append(str(int(moment.timestamp())))
        elif found[1] in _STRFTIME:
            said.append(dates.parse_pattern(_STRFTIME[found[1]]).apply(moment, locale))
        else:
            raise FilterArgumentError(f"a date has no {found[0]}", token=None)
    return "".join(said)


def _moment(value: Any, context: Context) -> day_type | None:
    """The time that `value` is, at the recipient's clock."""
    zone = zone_of(context.given.timezone)
    try:
        if isinstance(value, bool) or value is None or is_undefined(value):
            return None
        if isinstance(value, int | float) or (isinstance(value, str) and value.isdecimal() and len(value) < 13):
            return datetime.fromtimestamp(float(value), zone)
        if not isinstance(value, str) or len(value) > 40:
            return None
        if value in ("now", "today"):
            return context.given.now.astimezone(zone)
        if _DAY.match(value):
            return day_type.fromisoformat(value)
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return None

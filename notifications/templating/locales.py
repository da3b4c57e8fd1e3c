"""Locales and time zones by name, kept; a name that is not known is as good as none."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError


@lru_cache(maxsize=512)
def locale_of(name: str) -> Locale:
    """What babel knows of this language tag, of its language, or of English."""
    for tag in fallbacks(name):
        try:
            return Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


@lru_cache(maxsize=512)
def fallbacks(name: str) -> tuple[str, ...]:
    """`de-AT` and `de` for `de_at`: the tags to try, the most special first."""
    parts = name.replace("_", "-").split("-")
    parts = [parts[0].lower(), *(part.title() if len(part) == 4 else part.upper() for part in parts[1:])]
    return tuple("-".join(parts[:length]) for length in range(len(parts), 0, -1))


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name, or UTC."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return ZoneInfo("UTC")

"""Facts about single values: is this an address, a time zone, a key. Pure, cached where it costs.

Each `check_*` returns the value as it will be kept, or raises ValueError with a sentence for the caller.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}\Z")
_TOPIC_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,254}\Z")
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII
)


def check_line(value: str) -> str:
    """A single line of text: no control characters."""
    if _CONTROL.search(value):
        raise ValueError("Control characters are not allowed here.")
    return value


def check_storable(value: str) -> str:
    """Text that PostgreSQL can keep: no NUL, no lone surrogates."""
    if _UNSTORABLE.search(value):
        raise ValueError("NUL characters and lone surrogates are not allowed.")
    return value


def printable(value: str) -> str:
    """`value` as it may be shown in an answer: what cannot be stored is replaced, and it is cut short."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value))[:100]


def check_external_id(value: str) -> str:
    """A caller's own id: 1 to 255 characters on one line, without surrounding white space or slashes."""
    if not 1 <= len(value) <= 255:
        raise ValueError("Must have 1 to 255 characters.")
    if value.strip() != value or "/" in value:
        raise ValueError("Must not begin or end with white space nor contain a slash.")
    return check_line(check_storable(value))


def check_key(value: str) -> str:
    """A key of a topic, workflow or category: letters, digits and `. _ : @ -`, up to 255 characters."""
    if not _TOPIC_KEY.match(value):
        raise ValueError("Must be 1 to 255 letters, digits or any of . _ : @ - and begin with a letter or digit.")
    return value


@lru_cache(maxsize=65_536)
def check_email(value: str) -> str:
    """An address by RFC 5322 and RFC 6531; the domain is normalised, no DNS is asked."""
    try:
        return validate_email(value, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError as error:
        raise ValueError(f"Not an email address: {error}") from error


def check_phone(value: str) -> str:
    """A number in E.164: `+`, country code, 7 to 15 digits in all."""
    if not _E164.match(value):
        raise ValueError("Not a phone number in E.164 form, such as +4915112345678.")
    return value


def check_locale(value: str) -> str:
    """A BCP 47 language tag."""
    if not _LOCALE.match(value):
        raise ValueError("Not a locale such as de or de-AT.")
    return value


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check_timezone(value: str) -> str:
    """A name of the IANA time zone database."""
    if value not in _zones():
        raise ValueError("Not a time zone name such as Europe/Berlin.")
    return value


def check_url(value: str) -> str:
    """An http(s) address for people to open: one line, at most 2048 characters."""
    if len(value) > 2048 or not value.startswith(("https://", "http://")) or _CONTROL.search(value) or " " in value:
        raise ValueError("Not an http or https URL of at most 2048 characters.")
    return check_storable(value)


def parse_time(value: str) -> datetime:
    """An RFC 3339 time with an offset, as UTC."""
    found = _RFC3339.match(value)
    if not found:
        raise ValueError("Not a time such as 2026-01-31T09:00:00+01:00 (RFC 3339, with an offset).")
    try:
        return datetime.fromisoformat(value.upper().replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("No such time.") from error


def format_time(value: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def optional_time(value: datetime | None) -> str | None:
    """`format_time`, or None for None."""
    return None if value is None else format_time(value)


def deep_fault(value: Any, *, max_depth: int = 32) -> tuple[str, str] | None:
    """The first (pointer, detail) in decoded JSON that cannot be kept: NUL, lone surrogates, too deep; None if fine."""
    stack: list[tuple[str, Any, int]] = [("", value, 0)]
    while stack:
        pointer, item, depth = stack.pop()
        if depth > max_depth:
            return pointer, f"Nested deeper than {max_depth} levels."
        if isinstance(item, str):
            if _UNSTORABLE.search(item):
                return pointer, "NUL characters and lone surrogates are not allowed."
        elif isinstance(item, dict):
            for name, child in item.items():
                if _UNSTORABLE.search(name):
                    return pointer, "NUL characters and lone surrogates are not allowed in names."
                stack.append((f"{pointer}/{escape_pointer(name)}", child, depth + 1))
        elif isinstance(item, list):
            stack.extend((f"{pointer}/{index}", child, depth + 1) for index, child in enumerate(item))
    return None


def escape_pointer(name: str) -> str:
    """One reference token of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")

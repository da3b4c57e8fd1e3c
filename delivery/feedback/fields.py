"""Groups of header fields inside a report, read leniently: whatever is wrong with one is empty. Pure."""

import re
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from typing import Final

_BETWEEN: Final = re.compile(r"(?:[ \t]*\n){2,}")
_FOLD: Final = re.compile(r"\s*\n\s+")
_LONGEST: Final = 4096
_MOST_BLOCKS: Final = 100


def parse_blocks(text: str) -> list["Message[str, str]"]:
    """Each group of fields, separated by empty lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return [
        parse_fields(block) for block in _BETWEEN.split(lines, maxsplit=_MOST_BLOCKS)[:_MOST_BLOCKS] if block.strip()
    ]


def parse_fields(block: str) -> "Message[str, str]":
    """One group."""
    return HeaderParser(policy=compat32).parsestr(block)


def value_of(block: "Message[str, str]", name: str) -> str:
    """A field's text on one line; the first, where it is repeated; empty where it is missing."""
    return _FOLD.sub(" ", str(block.get(name, "")))[:_LONGEST].strip()


def parse_date(text: str) -> datetime | None:
    """RFC 5322 in UTC, or None."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

"""Groups of header fields inside a report, read leniently: whatever is wrong with one is empty. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from email.policy import Compat32
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Final

_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_LONGEST: Final = 4096
_MOST_BLOCKS: Final = 100


class _Bounded(Compat32):
    """Cuts a field before anything is looked for in it: the standard library takes quadratic time for some that are long."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST]


BOUNDED: Final = _Bounded()
"""How strangers' header fields are parsed."""


def parse_blocks(text: str) -> list["Message[str, str]"]:
    """Each group of fields, separated by empty lines; the first hundred."""
    return [parse_fields(block) for block in islice(_blocks(text), _MOST_BLOCKS)]


def _blocks(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line and not line.isspace():
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def parse_fields(block: str) -> "Message[str, str]":
    """One group."""
    return HeaderParser(policy=BOUNDED).parsestr(block)


def value_of(block: "Message[str, str]", name: str) -> str:
    """A field's text on one line; the first, where it is repeated; empty where it is missing."""
    return _FOLD.sub(" ", str(block.get(name, ""))[:_LONGEST]).strip()


def parse_date(text: str) -> datetime | None:
    """RFC 5322 in UTC, or None."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

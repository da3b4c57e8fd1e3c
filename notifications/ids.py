"""Prefixed, sortable, opaque public ids: `ntf_` + 26 characters of Crockford base32 over a UUIDv7 (RFC 9562).

The database keeps the 16 bytes; the prefix says what the id names and is checked on the way in, so an id of the
wrong kind is answered like one that does not exist.
"""

from typing import Final, Literal
from uuid import UUID

from uuid_utils import uuid7 as _uuid7
from uuid_utils.compat import uuid7

Prefix = Literal["prj", "key", "end", "ntf", "dlv", "msg", "att", "evt", "sup", "cbk", "run", "dig"]

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}
_LENGTH: Final = 26
_PAIRS: Final = [high + low for high in _ALPHABET for low in _ALPHABET]


def new_uuid() -> UUID:
    """A fresh UUIDv7: 48 bits of Unix milliseconds, then a counter and randomness, so keys grow with time."""
    return uuid7()


def new_bytes() -> bytes:
    """The sixteen bytes of one, for rows that are written by the thousand."""
    return _uuid7().bytes


def encode(prefix: Prefix, value: UUID) -> str:
    """The public form of `value`: `<prefix>_<26 characters>`, which sorts as the UUID does."""
    number = value.int
    pairs = [_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(pairs)}"


def decode(prefix: Prefix, text: str) -> UUID | None:
    """The UUID named by `text`, or None when it is not an id of this kind."""
    head, _, body = text.partition("_")
    if head != prefix or len(body) != _LENGTH:
        return None
    number = 0
    for character in body:
        value = _VALUES.get(character)
        if value is None:
            return None
        number = (number << 5) | value
    return UUID(int=number) if number < 1 << 128 else None

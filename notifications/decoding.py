"""Decoded JSON as typed structs, with JSON Pointers to what does not fit. Pure."""

import re
from typing import Any, Final, TypeVar

import msgspec

from notifications import texts
from notifications.errors import Fault, Invalid

T = TypeVar("T")

_PATH: Final = re.compile(r"\[(\d+|\.\.\.)\]|\.?([^.\[\]]+)")


def convert(raw: Any, into: type[T], pointer: str = "") -> T:
    """Decoded JSON as a struct. Raises `Invalid` with the pointer of the field that does not fit."""
    try:
        return msgspec.convert(raw, into)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise Invalid([Fault(pointer + _pointer(path.rstrip("`"), message), _sentence(message))]) from error


def _pointer(path: str, message: str) -> str:
    parts = [texts.escape_pointer(index or name) for index, name in _PATH.findall(path)]
    if named := re.search(r"field `([^`]+)`", message):
        parts.append(texts.escape_pointer(named[1]))
    return "".join(f"/{part}" for part in parts)


def _sentence(message: str) -> str:
    return (
        message.replace("Object contains unknown field", "Unknown field").replace("Object missing required", "Missing")
        + "."
    )

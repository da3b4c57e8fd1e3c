"""Values as templates see them: JSON and nothing else, so that no object of ours can be reached or printed."""

import json
from collections.abc import Mapping
from typing import Any

from liquid.undefined import Undefined

from notifications.templating.limits import LimitReached


class Marked(str):
    """Text that was escaped already and stays as it is; whatever a filter makes of it is ordinary text again."""

    __slots__ = ()


def is_plain(value: Any) -> bool:
    """Whether a template may hold this value; what is inside a list or an object is looked at when it is reached."""
    return value is None or isinstance(value, str | bool | int | float | list | tuple | dict | range | Undefined)


def text_of(value: Any) -> str:
    """How a value reads: nothing for nil, items one after the other, objects as JSON. Raises `LimitReached`."""
    match value:
        case str():
            return value
        case None | Undefined():
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number(value)
        case list() | tuple():
            return "".join(text_of(item) for item in value)
        case dict():
            return json_of(value)
        case range():
            return f"{value.start}..{value.stop - 1}"
        case Mapping():  # `forloop`, which is the template language's own
            return ""
    raise LimitReached("this value cannot be shown")


def json_of(value: Any) -> str:
    """A value as JSON."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise LimitReached("this value cannot be written as JSON") from None


def _number(value: int | float) -> str:
    try:
        return str(value)
    except ValueError:
        raise LimitReached("a number is too large") from None

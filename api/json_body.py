"""Reading a JSON body strictly: what RFC 8259 leaves to chance (duplicate names, NaN, huge numbers) is refused.

Gives plain Python objects that PostgreSQL's jsonb can hold and that msgspec or a serializer then checks for shape.
"""

import json
import math
from typing import Any, Final, NoReturn

from django.http import HttpRequest

from api.problems import HttpProblem
from notifications.errors import Fault, Invalid, Malformed
from notifications.texts import deep_fault

_LARGEST: Final = 2**63 - 1
_MEDIA_TYPES: Final = frozenset({"application/json", "application/merge-patch+json"})


def read_json(request: HttpRequest) -> Any:
    """The decoded body. Raises `HttpProblem` (415), `Malformed` (400) or `Invalid` (422)."""
    media_type = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        raise HttpProblem(415, "unsupported_media_type", "Send application/json.", {"Accept": "application/json"})
    return decode(request.body)


def decode(body: bytes) -> Any:
    """One JSON text in UTF-8. Raises `Malformed` or `Invalid`."""
    try:
        value = _DECODER.decode(body.decode())
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {error}") from None
    # Only these can hold what jsonb refuses; most bodies are spared the walk.
    if b"\\u" in body or body.count(b"{") + body.count(b"[") > 32:
        fault = deep_fault(value)
        if fault is not None:
            raise Invalid([Fault(*fault)])
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > 20 or abs(value := int(text)) > _LARGEST:
        raise ValueError("a number is too large")
    return value


def _float(text: str) -> float:
    if len(text) > 400 or not math.isfinite(value := float(text)):
        raise ValueError("a number is too large")
    return value


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant
)

"""A recipient's export: lines of JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from .result import Result


class ExportLine(Result, frozen=True, kw_only=True):
    """One thing that is kept of a recipient; `data` is in the shape that the API gives such a thing."""

    type: str
    data: dict[str, Any]


_decoder = msgspec.json.Decoder(ExportLine)


def read_lines(body: bytes) -> tuple[ExportLine, ...]:
    """All lines of an export."""
    return tuple(_decoder.decode_lines(body))

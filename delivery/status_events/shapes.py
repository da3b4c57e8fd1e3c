"""How a status event looks from outside: public ids instead of UUIDs, the recipient by the caller's own id. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from notifications import ids, texts

_IDS: Final[Mapping[str, tuple[str, ids.Prefix]]] = {
    "delivery_id": ("delivery_id", "dlv"),
    "notification_id": ("notification_id", "ntf"),
    "endpoint_id": ("endpoint", "end"),
}
_TIMES: Final = frozenset({"finished_at"})
_encode = msgspec.json.Encoder().encode


def shown_data(data: Mapping[str, Any], *, recipient: str | None) -> dict[str, Any]:
    """`data` as callers see it; `recipient` is their id of the recipient, None where it is about nobody."""
    shown = dict(_shown(name, value) for name, value in data.items())
    return shown if recipient is None else {**shown, "recipient": recipient}


def encode_event(*, kind: str, data: Mapping[str, Any], recipient: str | None, created_at: datetime) -> bytes:
    """The body that is posted, in the envelope of Standard Webhooks; the same bytes every time."""
    timestamp = texts.format_time(created_at)
    return _encode({"type": kind, "timestamp": timestamp, "data": shown_data(data, recipient=recipient)})


def _shown(name: str, value: Any) -> tuple[str, Any]:
    if name in _IDS:
        shown, prefix = _IDS[name]
        return shown, ids.encode(prefix, UUID(value)) if value is not None else None
    if name in _TIMES and value is not None:
        return name, texts.format_time(datetime.fromisoformat(value))
    return name, value

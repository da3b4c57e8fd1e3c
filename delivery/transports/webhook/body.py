"""The JSON body of a webhook, an envelope of Standard Webhooks around what the notification says."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from delivery.transports.base import Outbound, PermanentFailure


class _Data(msgspec.Struct, frozen=True):
    notification_id: str
    delivery_id: str
    recipient: str
    title: str
    body: str
    action_url: str | None
    category: str | None
    data: Mapping[str, Any]


class _Body(msgspec.Struct, frozen=True):
    type: str
    timestamp: datetime
    data: _Data


_encoder = msgspec.json.Encoder()


def encode_body(outbound: Outbound) -> bytes:
    """Compact JSON, the same bytes every time; PermanentFailure when something in it is not JSON."""
    body = _Body(
        type=outbound.event_type,
        timestamp=outbound.created_at.astimezone(UTC),
        data=_Data(
            notification_id=outbound.notification_id,
            delivery_id=outbound.delivery_id,
            recipient=outbound.recipient_id,
            title=outbound.content.title,
            body=outbound.content.body,
            action_url=outbound.content.action_url,
            category=outbound.category,
            data=outbound.data,
        ),
    )
    try:
        return _encoder.encode(body)
    except (TypeError, ValueError, RecursionError):
        raise PermanentFailure("unrenderable") from None

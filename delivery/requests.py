"""The requests of a webhook delivery's attempts, shown again from what their records kept."""

from collections.abc import Mapping
from typing import Any

from delivery.models import Delivery
from delivery.transports.base import Content, Outbound, PermanentFailure
from delivery.transports.webhook.body import encode_body
from delivery.transports.webhook.record import show_request
from notifications.event_types import event_type_of
from notifications.models import Notification


def requests_of(delivery: Delivery) -> list[Mapping[str, Any] | None]:
    """One entry per attempt, in their order; None where no request was recorded."""
    records = [attempt.request for attempt in delivery.attempts.all()]
    body = _body(delivery) if any(records) else None
    return [record and show_request(record, delivery_id=delivery.public_id, body=body) for record in records]


def _body(delivery: Delivery) -> bytes | None:
    """What the delivery says, as it would be said now."""
    notification = Notification.objects.filter(id=delivery.notification_id).first()
    if notification is None:
        return None
    content = notification.content
    outbound = Outbound(
        delivery_id=delivery.public_id,
        notification_id=notification.public_id,
        recipient_id=delivery.recipient.external_id,
        recipient_name=None,
        address="",
        secrets=(),
        content=Content(
            title=content.get("title") or "", body=content.get("body") or "", action_url=content.get("action_url")
        ),
        data=notification.data,
        event_type=event_type_of(notification.workflow),
        category=notification.category,
        attempt=1,
        created_at=notification.created_at,
    )
    try:
        return encode_body(outbound)
    except PermanentFailure:
        return None

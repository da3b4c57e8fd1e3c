"""Deliveries to be made, for the transports' tests."""

from datetime import UTC, datetime
from typing import Any

from delivery.transports.base import Content, Outbound

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the key of the specification's own example


def make_outbound(**changes: Any) -> Outbound:
    """An ordinary delivery, changed as told."""
    values: dict[str, Any] = {
        "delivery_id": "dlv_0192f3",
        "notification_id": "ntf_0192f0",
        "recipient_id": "u1",
        "recipient_name": "Ada Lovelace",
        "address": "ada@example.com",
        "secrets": (),
        "content": Content(title="Order shipped", body="Your **kettle** left.", action_url="https://shop.example/o/1"),
        "data": {"order": 1234},
        "event_type": "order-shipped",
        "category": "orders",
        "attempt": 1,
        "created_at": datetime(2026, 11, 22, 13, 37, 54, 250000, tzinfo=UTC),
    }
    return Outbound(**values | changes)

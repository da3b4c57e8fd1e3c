"""`/v1/notifications` and `/v1/deliveries`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

import msgspec

from .errors import Problem
from .explanations import Explanation, Plan
from .inputs import Submission
from .operations import DriverT, Resource, listing, operation
from .requests import Request, get, given, path, post
from .result import Page
from .results import (
    Accepted,
    Acknowledged,
    Cancelled,
    Delivery,
    DeliveryDetail,
    Notification,
    NotificationDetail,
    Replayed,
)

if sys.version_info >= (3, 11):
    from typing import Unpack
else:
    from typing_extensions import Unpack


class Notifications(Resource[DriverT]):
    """Send, and follow what was sent."""

    @operation
    def send(self, *, idempotency_key: str | None = None, **submission: Unpack[Submission]) -> Request[Accepted]:
        """Send one notification; answered once it is safely stored."""
        return post(path("notifications"), submission, Accepted, idempotency_key)

    @operation
    def send_many(
        self, notifications: Sequence[Submission], *, idempotency_key: str | None = None
    ) -> Request[tuple[Accepted | Problem, ...]]:
        """Send up to 1000; one result for each, in order: what was accepted, or the problem with it."""
        body = {"notifications": notifications}
        return post(path("notifications", "bulk"), body, object, idempotency_key).reading(_read_results)

    @operation
    def plan(self, **submission: Unpack[Submission]) -> Request[Plan]:
        """What `send` would do; nothing is sent or kept."""
        return post(path("notifications"), submission, Plan, None, dry_run=True)

    @operation
    def get(self, notification_id: str) -> Request[NotificationDetail]:
        """One notification, with the number of its deliveries in each state."""
        return get(path("notifications", notification_id), NotificationDetail)

    @listing
    def list(self, *, page_size: int = 100, after: str | None = None) -> Request[Page[Notification]]:
        """All notifications, newest first."""
        return get(path("notifications"), Page[Notification], limit=page_size, after=after)

    @listing
    def deliveries(
        self, notification_id: str, *, page_size: int = 100, after: str | None = None
    ) -> Request[Page[Delivery]]:
        """The deliveries of one notification, newest first."""
        where = path("notifications", notification_id, "deliveries")
        return get(where, Page[Delivery], limit=page_size, after=after)

    @operation
    def explain(
        self, notification_id: str, *, recipient: str | None = None, page_size: int = 100, after: str | None = None
    ) -> Request[Explanation]:
        """Every decision and attempt so far; give `next` as `after` for further deliveries."""
        where = path("notifications", notification_id, "explain")
        return get(where, Explanation, recipient=recipient, limit=page_size, after=after)

    @operation
    def acknowledge(
        self, notification_id: str, *, recipient: str | None = None, idempotency_key: str | None = None
    ) -> Request[Acknowledged]:
        """Say that somebody (this recipient) takes care of it; what escalates stops. The first who says so stays."""
        body = given({"recipient": recipient})
        return post(path("notifications", notification_id, "acknowledge"), body, Acknowledged, idempotency_key)

    @operation
    def cancel(self, notification_id: str, *, idempotency_key: str | None = None) -> Request[Cancelled]:
        """Stop what has not gone out. Raises `Conflict` when everything has."""
        return post(path("notifications", notification_id, "cancel"), None, Cancelled, idempotency_key)

    @operation
    def cancel_all(self, cancellation_key: str, *, idempotency_key: str | None = None) -> Request[Cancelled]:
        """Stop whatever was sent with this `cancellation_key`."""
        body = {"cancellation_key": cancellation_key}
        return post(path("notifications", "cancel"), body, Cancelled, idempotency_key)


class Deliveries(Resource[DriverT]):
    """What became of each, and sending it once more."""

    @listing
    def list(
        self,
        *,
        state: str | None = None,
        channel: str | None = None,
        recipient: str | None = None,
        endpoint: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        page_size: int = 100,
        after: str | None = None,
    ) -> Request[Page[Delivery]]:
        """Deliveries, newest first; filters narrow together."""
        return get(
            path("deliveries"),
            Page[Delivery],
            state=state,
            channel=channel,
            recipient=recipient,
            endpoint=endpoint,
            since=since,
            until=until,
            limit=page_size,
            after=after,
        )

    @operation
    def get(self, delivery_id: str) -> Request[DeliveryDetail]:
        """One delivery with its attempts and what was reported later."""
        return get(path("deliveries", delivery_id), DeliveryDetail)

    @operation
    def retry(self, delivery_id: str, *, idempotency_key: str | None = None) -> Request[Delivery]:
        """Send one again that failed, expired or was cancelled."""
        return post(path("deliveries", delivery_id, "retry"), None, Delivery, idempotency_key)

    @operation
    def replay(
        self,
        *,
        state: str | None = None,
        channel: str | None = None,
        recipient: str | None = None,
        endpoint: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
        after: str | None = None,
        idempotency_key: str | None = None,
    ) -> Request[Replayed]:
        """Send all again that match and failed, expired or were cancelled; needs a state or a time."""
        wanted = given(
            {
                "state": state,
                "channel": channel,
                "recipient": recipient,
                "endpoint": endpoint,
                "since": since,
                "until": until,
                "limit": limit,
                "after": after,
            }
        )
        return post(path("deliveries", "replay"), wanted, Replayed, idempotency_key)


class _Results(msgspec.Struct):
    data: tuple[msgspec.Raw, ...]


def _read_results(body: bytes) -> tuple[Accepted | Problem, ...]:
    return tuple(_read_result(raw) for raw in msgspec.json.decode(body, type=_Results).data)


def _read_result(raw: msgspec.Raw) -> Accepted | Problem:
    """Only what was accepted has an id."""
    if "id" in msgspec.json.decode(raw, type=dict[str, msgspec.Raw]):
        return msgspec.json.decode(raw, type=Accepted)
    return msgspec.json.decode(raw, type=Problem)

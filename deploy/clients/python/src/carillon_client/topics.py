"""`/v1/topics` and who is subscribed to them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from .operations import DriverT, Resource, listing, operation
from .requests import Request, as_json, delete, get, patch, path, post, put
from .result import Page
from .results import Subscribed, Subscription, Topic, Unsubscribed


class Topics(Resource[DriverT]):
    """Named groups of recipients."""

    @listing
    def list(self, *, page_size: int = 100, after: str | None = None) -> Request[Page[Topic]]:
        """All topics, newest first."""
        return get(path("topics"), Page[Topic], limit=page_size, after=after)

    @operation
    def get(self, key: str) -> Request[Topic]:
        """One topic."""
        return get(path("topics", key), Topic)

    @operation
    def put(self, key: str, *, name: str = "") -> Request[Topic]:
        """Create or rename a topic."""
        return put(path("topics", key), {"name": name}, Topic)

    @operation
    def patch(self, key: str, *, name: str) -> Request[Topic]:
        """Rename a topic that exists."""
        return patch(path("topics", key), {"name": name}, Topic)

    @operation
    def delete(self, key: str) -> Request[None]:
        """Remove a topic; the recipients stay."""
        return delete(path("topics", key))

    @listing
    def subscriptions(self, key: str, *, page_size: int = 100, after: str | None = None) -> Request[Page[Subscription]]:
        """Who is subscribed."""
        return get(path("topics", key, "subscriptions"), Page[Subscription], limit=page_size, after=after)

    @operation
    def subscribe(
        self, key: str, recipients: Sequence[str], *, idempotency_key: str | None = None
    ) -> Request[Subscribed]:
        """Subscribe up to 1000 recipients; topic and recipients are created where they are unknown."""
        return post(path("topics", key, "subscriptions"), {"recipients": recipients}, Subscribed, idempotency_key)

    @operation
    def unsubscribe(self, key: str, recipients: Sequence[str]) -> Request[Unsubscribed]:
        """Unsubscribe up to 1000 recipients."""
        body = msgspec.json.encode({"recipients": recipients})
        return Request("DELETE", path("topics", key, "subscriptions"), as_json(Unsubscribed), body=body)

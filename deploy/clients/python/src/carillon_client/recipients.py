"""`/v1/recipients` with endpoints and tokens, `/v1/topics` and `/v1/suppressions`: who is told, and who must not be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

import msgspec

from .inputs import EndpointChanges, EndpointOptions, RecipientFields
from .operations import DriverT, Resource, listing, operation
from .requests import Request, as_json, delete, get, given, patch, path, post, put
from .results import (
    Delivery,
    Endpoint,
    EndpointWithSecret,
    Page,
    Recipient,
    Replayed,
    Subscribed,
    Subscription,
    Suppression,
    Token,
    Topic,
    Unsubscribed,
)

if sys.version_info >= (3, 11):
    from typing import Unpack
else:
    from typing_extensions import Unpack


class Recipients(Resource[DriverT]):
    """Whom to tell, by the caller's own ids."""

    @listing
    def list(self, *, page_size: int = 100, after: str | None = None) -> Request[Page[Recipient]]:
        """All recipients, newest first."""
        return get(path("recipients"), Page[Recipient], limit=page_size, after=after)

    @operation
    def get(self, recipient_id: str) -> Request[Recipient]:
        """One recipient."""
        return get(path("recipients", recipient_id), Recipient)

    @operation
    def put(self, recipient_id: str, **fields: Unpack[RecipientFields]) -> Request[Recipient]:
        """Create or replace a recipient; what is left out is emptied."""
        return put(path("recipients", recipient_id), fields, Recipient)

    @operation
    def patch(self, recipient_id: str, **fields: Unpack[RecipientFields]) -> Request[Recipient]:
        """Change a recipient: None empties a field, what is left out stays, `data` is merged."""
        return patch(path("recipients", recipient_id), fields, Recipient)

    @operation
    def delete(self, recipient_id: str) -> Request[None]:
        """Erase the person with addresses, subscriptions, inbox and deliveries."""
        return delete(path("recipients", recipient_id))


class Tokens(Resource[DriverT]):
    """What opens an inbox."""

    @operation
    def create(
        self, recipient_id: str, *, lifetime_seconds: int | None = None, idempotency_key: str | None = None
    ) -> Request[Token]:
        """A token for this recipient's browser or app; an unknown recipient is created."""
        body = given({"lifetime_seconds": lifetime_seconds})
        return post(path("recipients", recipient_id, "tokens"), body, Token, idempotency_key)


class Endpoints(Resource[DriverT]):
    """Further addresses of a recipient."""

    @listing
    def list(self, recipient_id: str, *, page_size: int = 100, after: str | None = None) -> Request[Page[Endpoint]]:
        """A recipient's endpoints, newest first."""
        return get(path("recipients", recipient_id, "endpoints"), Page[Endpoint], limit=page_size, after=after)

    @operation
    def create(
        self,
        recipient_id: str,
        url: str,
        *,
        channel: str = "webhook",
        idempotency_key: str | None = None,
        **options: Unpack[EndpointOptions],
    ) -> Request[EndpointWithSecret]:
        """Add an endpoint. Its `secret` is shown this once."""
        body = {"channel": channel, "url": url, **options}
        return post(path("recipients", recipient_id, "endpoints"), body, EndpointWithSecret, idempotency_key)

    @operation
    def get(self, recipient_id: str, endpoint_id: str) -> Request[Endpoint]:
        """One endpoint."""
        return get(path("recipients", recipient_id, "endpoints", endpoint_id), Endpoint)

    @operation
    def patch(self, recipient_id: str, endpoint_id: str, **changes: Unpack[EndpointChanges]) -> Request[Endpoint]:
        """Change an endpoint; the secret stays."""
        return patch(path("recipients", recipient_id, "endpoints", endpoint_id), changes, Endpoint)

    @operation
    def delete(self, recipient_id: str, endpoint_id: str) -> Request[None]:
        """Remove an endpoint; what was still to be sent there fails."""
        return delete(path("recipients", recipient_id, "endpoints", endpoint_id))

    @operation
    def rotate_secret(
        self,
        recipient_id: str,
        endpoint_id: str,
        *,
        signature: str | None = None,
        secret: str | None = None,
        idempotency_key: str | None = None,
    ) -> Request[EndpointWithSecret]:
        """A new secret; the old one signs along for 24 hours."""
        where = path("recipients", recipient_id, "endpoints", endpoint_id, "rotate-secret")
        body = given({"signature": signature, "secret": secret})
        return post(where, body, EndpointWithSecret, idempotency_key)

    @operation
    def ping(self, recipient_id: str, endpoint_id: str, *, idempotency_key: str | None = None) -> Request[Delivery]:
        """Send a test webhook, tried once; read the delivery to see what came of it."""
        where = path("recipients", recipient_id, "endpoints", endpoint_id, "ping")
        return post(where, None, Delivery, idempotency_key)

    @listing
    def deliveries(
        self,
        recipient_id: str,
        endpoint_id: str,
        *,
        state: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        page_size: int = 100,
        after: str | None = None,
    ) -> Request[Page[Delivery]]:
        """What was sent there, newest first."""
        where = path("recipients", recipient_id, "endpoints", endpoint_id, "deliveries")
        return get(where, Page[Delivery], state=state, since=since, until=until, limit=page_size, after=after)

    @operation
    def replay(
        self,
        recipient_id: str,
        endpoint_id: str,
        *,
        since: datetime | str,
        until: datetime | str | None = None,
        states: Sequence[str] | None = None,
        limit: int | None = None,
        after: str | None = None,
        idempotency_key: str | None = None,
    ) -> Request[Replayed]:
        """Send there again what ended since a time, oldest first."""
        where = path("recipients", recipient_id, "endpoints", endpoint_id, "replay")
        body = given({"since": since, "until": until, "states": states, "limit": limit, "after": after})
        return post(where, body, Replayed, idempotency_key)


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


class Suppressions(Resource[DriverT]):
    """Addresses that must not be written to."""

    @listing
    def list(
        self,
        *,
        address: str | None = None,
        reason: str | None = None,
        page_size: int = 100,
        after: str | None = None,
    ) -> Request[Page[Suppression]]:
        """Suppressions, newest first."""
        return get(
            path("suppressions"), Page[Suppression], address=address, reason=reason, limit=page_size, after=after
        )

    @operation
    def get(self, suppression_id: str) -> Request[Suppression]:
        """One suppression."""
        return get(path("suppressions", suppression_id), Suppression)

    @operation
    def create(
        self,
        address: str,
        *,
        reason: str | None = None,
        detail: str | None = None,
        expires_at: datetime | str | None = None,
        idempotency_key: str | None = None,
    ) -> Request[Suppression]:
        """Suppress an email address; without a reason `manual`, without `expires_at` for ever."""
        body = given({"address": address, "reason": reason, "detail": detail, "expires_at": expires_at})
        return post(path("suppressions"), body, Suppression, idempotency_key)

    @operation
    def delete(self, suppression_id: str) -> Request[None]:
        """Take an address off the list, for this reason."""
        return delete(path("suppressions", suppression_id))

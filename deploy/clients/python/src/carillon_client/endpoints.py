"""`/v1/recipients/{id}/endpoints`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

from .inputs import EndpointChanges, EndpointOptions
from .operations import DriverT, Resource, listing, operation
from .requests import Request, delete, get, given, patch, path, post
from .result import Page
from .results import Delivery, Endpoint, EndpointWithSecret, Replayed

if sys.version_info >= (3, 11):
    from typing import Unpack
else:
    from typing_extensions import Unpack


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

"""`/v1/recipients` with its tokens, and `/v1/suppressions`: who is told, and who must not be."""

from __future__ import annotations

import sys
from datetime import datetime

from .exports import ExportLine, read_lines
from .inputs import RecipientFields
from .operations import DriverT, Resource, listing, operation
from .requests import Request, delete, get, given, patch, path, post, put
from .result import Page
from .results import Presence, Recipient, Revocation, Suppression, Token

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

    @operation
    def export(self, recipient_id: str) -> Request[tuple[ExportLine, ...]]:
        """Everything that is kept of a person; the line of type `recipient` comes first."""
        return Request("GET", path("recipients", recipient_id, "export"), read_lines)

    @operation
    def presence(self, recipient_id: str) -> Request[Presence]:
        """Whether the recipient is connected, on how many devices, and when last."""
        return get(path("recipients", recipient_id, "presence"), Presence)


class Tokens(Resource[DriverT]):
    """What opens an inbox."""

    @operation
    def create(
        self, recipient_id: str, *, lifetime_seconds: int | None = None, idempotency_key: str | None = None
    ) -> Request[Token]:
        """A token for this recipient's browser or app; an unknown recipient is created."""
        body = given({"lifetime_seconds": lifetime_seconds})
        return post(path("recipients", recipient_id, "tokens"), body, Token, idempotency_key)

    @operation
    def revoke(self, recipient_id: str, *, idempotency_key: str | None = None) -> Request[Revocation]:
        """Take back every token issued before now; what they hold open ends."""
        return post(path("recipients", recipient_id, "tokens", "revoke"), None, Revocation, idempotency_key)


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

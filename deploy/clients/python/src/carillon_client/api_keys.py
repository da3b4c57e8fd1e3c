"""`/v1/api-keys`: who may do what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .operations import DriverT, Resource, listing, operation
from .requests import Request, delete, get, given, path, post
from .result import Page, Result


class ApiKey(Result, frozen=True, kw_only=True):
    """A key without the key."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class FreshApiKey(ApiKey, frozen=True, kw_only=True):
    """A key that was just made; `key` is never shown again, and not by `repr` either."""

    key: str

    def __repr__(self) -> str:
        return f"FreshApiKey(id={self.id!r}, name={self.name!r}, key=***)"


class ApiKeys(Resource[DriverT]):
    """Keys of the project; a key may give no more than it has."""

    @listing
    def list(self, *, page_size: int = 100, after: str | None = None) -> Request[Page[ApiKey]]:
        """All keys, newest first."""
        return get(path("api-keys"), Page[ApiKey], limit=page_size, after=after)

    @operation
    def get(self, key_id: str) -> Request[ApiKey]:
        """One key."""
        return get(path("api-keys", key_id), ApiKey)

    @operation
    def create(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        expires_at: datetime | str | None = None,
        idempotency_key: str | None = None,
    ) -> Request[FreshApiKey]:
        """Make a key."""
        body = given({"name": name, "scopes": scopes, "expires_at": expires_at})
        return post(path("api-keys"), body, FreshApiKey, idempotency_key)

    @operation
    def rotate(
        self,
        key_id: str,
        *,
        overlap_seconds: int | None = None,
        expires_at: datetime | str | None = None,
        idempotency_key: str | None = None,
    ) -> Request[FreshApiKey]:
        """Replace a key by a new one; the old one goes on working for a while."""
        body = given({"overlap_seconds": overlap_seconds, "expires_at": expires_at})
        return post(path("api-keys", key_id, "rotate"), body, FreshApiKey, idempotency_key)

    @operation
    def revoke(self, key_id: str) -> Request[None]:
        """Take a key back at once."""
        return delete(path("api-keys", key_id))

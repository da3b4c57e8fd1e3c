"""`/v1/events`, what became of things, told to the caller's own webhooks, and `/v1/callbacks`, what others report."""

from __future__ import annotations

from collections.abc import Sequence

from .operations import DriverT, Resource, listing, operation
from .requests import Request, delete, get, given, path, post, put
from .result import Page
from .results import Callback, CallbackWithSecret, Event, EventEndpoint


class Events(Resource[DriverT]):
    """The log of what was told."""

    @listing
    def list(self, *, type: str | None = None, page_size: int = 100, after: str | None = None) -> Request[Page[Event]]:
        """Status events, newest first."""
        return get(path("events"), Page[Event], type=type, limit=page_size, after=after)

    @operation
    def get(self, event_id: str) -> Request[Event]:
        """One status event."""
        return get(path("events", event_id), Event)


class EventEndpoints(Resource[DriverT]):
    """Whom to tell; for API keys with the scope `admin`."""

    @listing
    def list(self, *, page_size: int = 100, after: str | None = None) -> Request[Page[EventEndpoint]]:
        """All event endpoints, newest first."""
        return get(path("events", "endpoints"), Page[EventEndpoint], limit=page_size, after=after)

    @operation
    def get(self, key: str) -> Request[EventEndpoint]:
        """One event endpoint."""
        return get(path("events", "endpoints", key), EventEndpoint)

    @operation
    def put(
        self,
        key: str,
        url: str,
        *,
        types: Sequence[str] | None = None,
        description: str | None = None,
        state: str | None = None,
    ) -> Request[EventEndpoint]:
        """Create or replace an event endpoint.

        `secret` is shown in the first answer alone. Should it be None after the first call, that answer was lost on
        its way: delete the endpoint and put it anew.
        """
        body = given({"url": url, "types": types, "description": description, "state": state})
        return put(path("events", "endpoints", key), body, EventEndpoint)

    @operation
    def delete(self, key: str) -> Request[None]:
        """Remove an event endpoint; what it was still to be told is dropped."""
        return delete(path("events", "endpoints", key))


class Callbacks(Resource[DriverT]):
    """Who may report what became of mail; for API keys with the scope `admin`."""

    @listing
    def list(self, *, page_size: int = 100, after: str | None = None) -> Request[Page[Callback]]:
        """All sources, newest first."""
        return get(path("callbacks"), Page[Callback], limit=page_size, after=after)

    @operation
    def create(self, name: str, *, idempotency_key: str | None = None) -> Request[CallbackWithSecret]:
        """Add a source of reports. Its `secret` is shown this once."""
        return post(path("callbacks"), {"name": name}, CallbackWithSecret, idempotency_key)

    @operation
    def get(self, callback_id: str) -> Request[Callback]:
        """One source."""
        return get(path("callbacks", callback_id), Callback)

    @operation
    def delete(self, callback_id: str) -> Request[None]:
        """Remove a source; what it reports from now on is refused."""
        return delete(path("callbacks", callback_id))

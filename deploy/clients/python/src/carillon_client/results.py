"""Answers about notifications, deliveries, recipients, topics, suppressions and events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .result import Result, SecretResult


class Accepted(Result, frozen=True, kw_only=True):
    """It is stored and will be delivered."""

    id: str
    status: str
    created_at: datetime


class Acknowledged(Result, frozen=True, kw_only=True):
    """Somebody takes care of it."""

    id: str
    acknowledged_at: datetime
    acknowledged_by: str | None = None


class Attachment(Result, frozen=True, kw_only=True):
    """A file that goes along with a mail."""

    name: str
    url: str
    type: str | None = None
    inline: str | None = None


class Content(Result, frozen=True, kw_only=True):
    """What is said; `body` is Markdown."""

    title: str = ""
    body: str = ""
    action_url: str | None = None
    attachments: tuple[Attachment, ...] = ()


class Notification(Result, frozen=True, kw_only=True):
    """One accepted request."""

    id: str
    status: str
    created_at: datetime
    recipients: tuple[str | dict[str, Any], ...]
    channels: tuple[str, ...]
    content: Content | None = None
    data: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    critical: bool = False
    quiet_hours: str | None = None
    reason: str | None = None
    workflow: str | None = None
    category: str | None = None
    actor: str | None = None
    thread: str | None = None
    cancellation_key: str | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    routed_at: datetime | None = None


class NotificationDetail(Notification, frozen=True, kw_only=True):
    """One accepted request, with the number of its deliveries in each state."""

    deliveries: dict[str, int]


class Cancelled(Result, frozen=True, kw_only=True):
    """What cancelling stopped."""

    notifications: int
    cancelled_deliveries: int


class Delivery(Result, frozen=True, kw_only=True):
    """One notification on its way to one recipient over one channel. `finished_at` is None until its state is final."""

    id: str
    notification_id: str
    recipient: str
    channel: str
    state: str
    attempt_count: int
    created_at: datetime
    endpoint: str | None = None
    reason: str | None = None
    next_attempt_at: datetime | None = None
    finished_at: datetime | None = None


class Attempt(Result, frozen=True, kw_only=True):
    """One try. Without an outcome it is under way, or its process died."""

    number: int
    started_at: datetime
    duration_ms: int | None = None
    outcome: str | None = None
    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None


class DeliveryEvent(Result, frozen=True, kw_only=True):
    """What was reported about a mail after it was sent."""

    type: str
    source: str
    occurred_at: datetime
    status: str | None = None
    detail: str = ""


class DeliveryDetail(Delivery, frozen=True, kw_only=True):
    """One delivery with everything that was tried and reported."""

    attempts: tuple[Attempt, ...]
    events: tuple[DeliveryEvent, ...] = ()


class Replayed(Result, frozen=True, kw_only=True):
    """How many were queued again; give `next` as `after` to go on."""

    count: int
    next: str | None = None


class Recipient(Result, frozen=True, kw_only=True):
    """A person or system to be told."""

    id: str
    created_at: datetime
    updated_at: datetime
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    locale: str | None = None
    timezone: str | None = None
    data: dict[str, Any] = {}


class Token(SecretResult, frozen=True, kw_only=True):
    """Opens one inbox until it expires: for the recipient's browser or app."""

    token: str
    expires_at: datetime


class Revocation(Result, frozen=True, kw_only=True):
    """Tokens issued before this moment are refused."""

    tokens_valid_from: datetime


class Presence(Result, frozen=True, kw_only=True):
    """Whether a recipient is connected; None in the first three: nobody knows at the moment."""

    online: bool | None
    devices: int | None
    connected_since: datetime | None
    last_seen_at: datetime | None


class Endpoint(Result, frozen=True, kw_only=True):
    """One address of a recipient beyond email and phone; values of `headers` are masked."""

    id: str
    recipient: str
    channel: str
    url: str
    signature: str
    state: str
    created_at: datetime
    public_key: str | None = None
    old_secret_until: datetime | None = None
    headers: dict[str, str] = {}
    event_types: tuple[str, ...] = ()
    retry_seconds: tuple[int, ...] | None = None
    disabled_reason: str | None = None


class EndpointWithSecret(Endpoint, SecretResult, frozen=True, kw_only=True):
    """An endpoint with the secret that was just made and is never shown again; None with `v1a` alone."""

    secret: str | None = None


class Topic(Result, frozen=True, kw_only=True):
    """A named group of recipients."""

    key: str
    name: str
    created_at: datetime


class Subscribed(Result, frozen=True, kw_only=True):
    """How many are new."""

    added: int


class Unsubscribed(Result, frozen=True, kw_only=True):
    """How many are gone."""

    removed: int


class Subscription(Result, frozen=True, kw_only=True):
    """One recipient's membership."""

    recipient: str
    created_at: datetime


class Suppression(Result, frozen=True, kw_only=True):
    """One reason not to write to one address, which is None once its person was erased."""

    id: str
    channel: str
    reason: str
    created_at: datetime
    address: str | None = None
    detail: str = ""
    delivery_id: str | None = None
    expires_at: datetime | None = None


class Callback(Result, frozen=True, kw_only=True):
    """Who may report what became of this project's mail."""

    id: str
    name: str
    created_at: datetime


class CallbackWithSecret(Callback, SecretResult, frozen=True, kw_only=True):
    """A new source of reports with its secret, which is never shown again."""

    secret: str


class Dispatch(Result, frozen=True, kw_only=True):
    """How the telling of one status event to one event endpoint goes."""

    endpoint: str
    state: str
    attempt_count: int
    outcome: str | None = None
    next_attempt_at: datetime | None = None
    finished_at: datetime | None = None


class Event(Result, frozen=True, kw_only=True):
    """A status event as it was or will be posted; its id is also the `webhook-id`."""

    id: str
    type: str
    created_at: datetime
    data: dict[str, Any]
    dispatches: tuple[Dispatch, ...] = ()


class EventEndpoint(SecretResult, frozen=True, kw_only=True):
    """One address of yours that hears of status events; `secret` is there in the answer that made it, and only there."""

    key: str
    url: str
    state: str
    created_at: datetime
    types: tuple[str, ...] = ()
    description: str = ""
    disabled_reason: str | None = None
    secret: str | None = None

"""What the server answers, as frozen structs; times are aware datetimes in UTC.

States, reasons, channels and types stay strings: a newer server may know more of them. So may it know more fields,
which are passed over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the server said."""


class SecretResult(Result, frozen=True, kw_only=True):
    """Something that must not end up in a log: its `repr` hides `secret` and `token`."""

    def __repr__(self) -> str:
        hidden = {"secret", "token"}
        shown = (f"{name}={'***' if name in hidden else repr(getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({', '.join(shown)})"


class Page(Result, Generic[T], frozen=True, kw_only=True):
    """Part of a list, newest first. `next` goes on with what is older; None at the end."""

    data: tuple[T, ...]
    next: str | None = None
    previous: str | None = None


class Accepted(Result, frozen=True, kw_only=True):
    """It is stored and will be delivered."""

    id: str
    status: str
    created_at: datetime


class Way(Result, frozen=True, kw_only=True):
    """One channel for one recipient; `reason` says why it does not deliver."""

    channel: str
    delivers: bool
    address: str | None = None
    endpoint: str | None = None
    reason: str | None = None


class PlannedRecipient(Result, frozen=True, kw_only=True):
    """Whom, and by which ways. Who is not known would be created."""

    recipient: str
    known: bool
    ways: tuple[Way, ...]


class PlannedEntry(Result, frozen=True, kw_only=True):
    """One entry of `recipients`; of a topic the first 100 are shown."""

    entry: str | dict[str, Any]
    count: int
    recipients: tuple[PlannedRecipient, ...]


class Plan(Result, frozen=True, kw_only=True):
    """What a notification would do."""

    entries: tuple[PlannedEntry, ...]


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


class Decision(Result, frozen=True, kw_only=True):
    """One thing that was decided or tried: `code` for machines, `summary` for people."""

    code: str
    summary: str
    actor: str
    at: datetime | None = None
    detail: dict[str, Any] = {}


class ReasonCount(Result, frozen=True, kw_only=True):
    """How many deliveries stand where, and why."""

    channel: str
    state: str
    count: int
    summary: str
    actor: str
    reason: str | None = None


class NextAttempt(Result, frozen=True, kw_only=True):
    """When a delivery is looked at again, and why then."""

    at: datetime
    why: str
    steps: int
    summary: str
    step: int | None = None


class DeliveryExplanation(Result, frozen=True, kw_only=True):
    """One delivery with every decision and attempt so far, oldest first."""

    id: str
    recipient: str
    channel: str
    state: str
    actor: str
    used: bool
    summary: str
    decisions: tuple[Decision, ...]
    endpoint: str | None = None
    reason: str | None = None
    next_attempt: NextAttempt | None = None


class Explanation(Result, frozen=True, kw_only=True):
    """Why a notification did what it did, with one page of its deliveries in `data`."""

    id: str
    status: str
    summary: str
    decisions: tuple[Decision, ...]
    counts: tuple[ReasonCount, ...]
    plan: tuple[PlannedEntry, ...]
    data: tuple[DeliveryExplanation, ...]
    reason: str | None = None
    next: str | None = None
    previous: str | None = None


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


class InboxMessage(Result, frozen=True, kw_only=True):
    """One in-app message; `body` is Markdown, `offset` the change that created it."""

    id: str
    offset: int
    title: str
    body: str
    created_at: datetime
    action_url: str | None = None
    category: str | None = None
    actor: str | None = None
    data: dict[str, Any] = {}
    seen_at: datetime | None = None
    read_at: datetime | None = None
    archived_at: datetime | None = None


class Badge(Result, frozen=True, kw_only=True):
    """How many messages wait, of those that are not archived."""

    unread: int
    unseen: int


class Position(Result, frozen=True):
    """How far somebody has followed an inbox; keep it to go on there."""

    epoch: str
    offset: int


class InboxCounts(Badge, frozen=True, kw_only=True):
    """How many messages wait, and the position that this belongs to."""

    offset: int
    epoch: str

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.offset)


class InboxChange(Result, frozen=True, kw_only=True):
    """One change, with its message as it is now; `event` is `message.created` or `message.updated`."""

    event: str
    offset: int
    message: InboxMessage


class InboxChanges(Result, frozen=True, kw_only=True):
    """What has changed, in order, and where that leads. Not `recovered`: not everything can be told, load anew."""

    changes: tuple[InboxChange, ...]
    offset: int
    epoch: str
    recovered: bool
    counts: Badge

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.offset)


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

"""What every transport is: its two halves, what it is given, what it answers and how it fails.

A transport serves one channel. `render` is pure: what is to be said becomes a payload, the same one every time.
`send` takes that payload over the network once and answers with a Receipt or raises one of these:

    DeliveryError
    ├── Suppressed               the recipient does not want it: for whoever calls, a transport never says so
    ├── PermanentFailure         no later attempt can succeed
    └── TemporaryFailure         worth another attempt, `retry_after` seconds from now if the other side said so
        ├── AmbiguousOutcome     the other side may have taken it, its answer never came
        └── ProviderFailure      our own side is at fault (relay down, login refused): burns no attempt

A transport never retries on its own account, sees no model and knows no Celery. It is constructed on the event loop
of the process that uses it and opens nothing before the first `send`. Nonsense in a configuration is a ValueError
from the configuration dataclass, never a DeliveryError.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable
from uuid import UUID

PayloadT = TypeVar("PayloadT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file to be fetched when it is sent; `inline` is the content id of an image that the text shows."""

    name: str
    url: str = field(repr=False)
    media_type: str
    inline: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is said, whatever the channel: `body` is Markdown; title and body may be empty.

    Email: `html`, which nobody has sanitised yet, is shown in place of body and action; the text alternative is made from it.
    """

    title: str
    body: str
    action_url: str | None = None
    attachments: tuple[Attachment, ...] = ()
    html: str | None = None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A DKIM key of one sending domain: RSA or Ed25519, unencrypted PEM."""

    domain: str
    selector: str
    pem: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One delivery on its way: all that a transport may know about it.

    Whatever a person or an operator would not want to read in a log is kept out of the repr.
    """

    delivery_id: str
    notification_id: str
    recipient_id: str
    recipient_name: str | None = field(repr=False)
    address: str = field(repr=False)
    """An email address or a URL, as the channel has it."""
    secrets: tuple[str, ...] = field(repr=False)
    """Webhook: `whsec_...` and `whsk_...`, the newest first; every one of them signs."""
    content: Content = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)
    event_type: str
    category: str | None
    attempt: int
    """Counted from 1."""
    created_at: datetime
    """Of the notification, with an offset."""
    thread_id: str | None = None
    """Email: what the mails of one thread to one recipient have in common; letters and digits."""
    unsubscribe_url: str | None = field(default=None, repr=False)
    """Email: where this recipient ends this category."""
    preferences_url: str | None = field(default=None, repr=False)
    """Email: where this recipient chooses what to get."""
    locale: str | None = None
    """The recipient's, for words of our own."""
    signing_keys: tuple[SigningKey, ...] = field(default=(), repr=False)
    """Email: those of the project, whatever their domain."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Webhook: further request headers, names in lower case, all checked when they were stored."""
    project_id: UUID | None = None
    """Whose own providers may be asked; None: only those for all projects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The other side took it. `response` is JSON-able: status or code, at most 4 KB of text, headers worth keeping."""

    response: Mapping[str, Any]


class DeliveryError(Exception):
    """Not delivered. `reason` is a word for machines; `response` is what the other side said, as in a Receipt."""

    def __init__(self, reason: str, *, response: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.response: Mapping[str, Any] = response or {}


class Suppressed(DeliveryError):
    """The recipient said meanwhile not to want it."""


class TemporaryFailure(DeliveryError):
    """Another attempt may succeed. `retry_after` is in seconds."""

    def __init__(
        self, reason: str, *, response: Mapping[str, Any] | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(reason, response=response)
        self.retry_after = retry_after


class AmbiguousOutcome(TemporaryFailure):
    """Everything was handed over, but the answer that says who is responsible now never came."""


class ProviderFailure(TemporaryFailure):
    """Nothing is wrong with this delivery: our own provider is away or refuses us."""


class PermanentFailure(DeliveryError):
    """No attempt will ever succeed; `disable_endpoint` when the endpoint itself said it is gone, `suppress` when nobody is
    at the address and never again must be written to it."""

    def __init__(
        self,
        reason: str,
        *,
        response: Mapping[str, Any] | None = None,
        disable_endpoint: bool = False,
        suppress: bool = False,
    ) -> None:
        super().__init__(reason, response=response)
        self.disable_endpoint = disable_endpoint
        self.suppress = suppress


@runtime_checkable
class Describing(Protocol):
    """A transport that can say what it requests, for the log of attempts."""

    def describe(self, payload: Any) -> dict[str, Any]:
        """What is worth keeping of the request and not to be found elsewhere: JSON-able, small, without secrets. Pure."""


class Transport(Protocol[PayloadT]):
    """The class that serves a channel; constructed with its own frozen configuration as the one argument."""

    channel: ClassVar[str]
    attempt_timeout_seconds: float
    """What the caller may put around `send`; the transport's own limits end a little earlier."""
    max_in_flight: int
    """How many sends may run at once in one process."""

    def render(self, outbound: Outbound) -> PayloadT:
        """Say it in this channel's form. Pure and repeatable; PermanentFailure for what cannot be said."""

    async def send(self, payload: PayloadT) -> Receipt:
        """Hand it to the other side, once."""

    async def aclose(self) -> None:
        """Close what is open; may be called twice, and without any send before.

        A transport with several providers also has an attribute `providers`, a `ProviderSet`.
        """

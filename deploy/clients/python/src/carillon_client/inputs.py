"""What callers give, as typed dicts: plain dicts do. Times are aware datetimes or RFC 3339."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

if sys.version_info >= (3, 11):
    from typing import Required
else:
    from typing_extensions import Required


class RecipientFields(TypedDict, total=False):
    """What is known about a recipient; `phone` is E.164, `locale` BCP 47, `timezone` IANA."""

    email: str | None
    phone: str | None
    name: str | None
    locale: str | None
    timezone: str | None
    data: Mapping[str, Any]


class InlineRecipient(RecipientFields, total=False):
    """A recipient created or updated on the way."""

    id: Required[str]


class TopicEntry(TypedDict):
    """Everybody who is subscribed to this topic when the notification is routed."""

    topic: str


class AttachmentInput(TypedDict, total=False):
    """A file that goes along with a mail, fetched from `url` when it is sent."""

    name: Required[str]
    url: Required[str]
    type: str
    inline: str


class ContentInput(TypedDict, total=False):
    """What is said: at least one of `title` and `body` (Markdown)."""

    title: str
    body: str
    action_url: str | None
    attachments: Sequence[AttachmentInput]


class Submission(TypedDict, total=False):
    """One notification to be sent."""

    recipients: Required[Sequence[str | InlineRecipient | TopicEntry]]
    content: ContentInput
    channels: Sequence[str]
    workflow: str
    data: Mapping[str, Any]
    category: str | None
    critical: bool
    quiet_hours: str | None
    actor: str | None
    thread: str | None
    send_at: datetime | str | None
    expires_at: datetime | str | None
    cancellation_key: str | None
    metadata: Mapping[str, Any]


class EndpointOptions(TypedDict, total=False):
    """How a new endpoint is signed, filtered and retried; what is left out is made or decided by the server."""

    signature: str
    secret: str
    headers: Mapping[str, str]
    event_types: Sequence[str]
    retry_seconds: Sequence[int] | None


class EndpointChanges(TypedDict, total=False):
    """What can be changed about an endpoint. `headers` are merged: None removes one."""

    url: str
    state: str
    headers: Mapping[str, str | None]
    event_types: Sequence[str]
    retry_seconds: Sequence[int] | None

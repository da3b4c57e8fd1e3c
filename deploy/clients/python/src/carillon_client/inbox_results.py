"""Answers about an inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .result import Result


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
    acknowledged_at: datetime | None = None


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
    """One change, with its message as it is now; `event` is `message.created`, `message.updated`, or for a message that
    has left the inbox, and whose texts are empty, `message.deleted` or `message.expired`."""

    event: str
    offset: int
    message: InboxMessage

    @property
    def is_gone(self) -> bool:
        return self.event in ("message.deleted", "message.expired")


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

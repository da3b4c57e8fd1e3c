"""What a recipient does with messages: seen, read, archived, acknowledged, deleted, and all at once.

Who acknowledges a message acknowledges its notification, so that what escalates stops. Each message that really changes takes the inbox's next offset in the same transaction; what is already so stays
without one, so a repeated command changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from notifications.errors import NotFound
from notifications.events import InboxEventName, LiveEvent
from notifications.inbox.reads import Connection, Head
from notifications.inbox.writing import FORGET_CONTENT, change_query, write_changes
from notifications.tokens import BadToken

Action = Literal["seen", "read", "unread", "archive", "unarchive", "acknowledge", "delete", "read_all", "seen_all"]

_BATCH: Final = 500
_READ: Final = "read_at = coalesce(o.read_at, now()), seen_at = coalesce(o.seen_at, now())"
ACKNOWLEDGING: Final = ("acknowledged_at IS NULL", f"acknowledged_at = now(), {_READ}")

# Each action: which messages it changes, and how.
_ACTIONS: Final[dict[Action, tuple[str, str]]] = {
    "seen": ("seen_at IS NULL", "seen_at = now()"),
    "read": ("read_at IS NULL", _READ),
    "unread": ("read_at IS NOT NULL", "read_at = NULL"),
    "archive": ("archived_at IS NULL", "archived_at = now()"),
    "unarchive": ("archived_at IS NOT NULL", "archived_at = NULL"),
    "acknowledge": ACKNOWLEDGING,
    "delete": (
        "gone_at IS NULL",
        f"gone_at = now(), gone_as = 'message.deleted', seen_at = coalesce(o.seen_at, now()), {FORGET_CONTENT}",
    ),
    "read_all": ("read_at IS NULL AND archived_at IS NULL", _READ),
    "seen_all": ("seen_at IS NULL AND archived_at IS NULL", "seen_at = now()"),
}
_KINDS: Final[dict[Action, InboxEventName]] = {"delete": "message.deleted"}
_LOCK: Final = """
    SELECT epoch, "offset", unread, unseen, tokens_valid_from
    FROM notifications_inbox WHERE recipient_id = %s FOR UPDATE"""
# What is deleted already can be deleted again, and nothing else be done with it.
_KNOWN: Final = """
    SELECT count(*) FROM notifications_inboxmessage
    WHERE recipient_id = %s AND id = ANY(%s) AND (gone_at IS NULL OR (%s AND gone_as = 'message.deleted'))"""
# Notifications before inboxes, as erasing locks them.
_LOCK_ACKNOWLEDGED: Final = """
    SELECT id FROM notifications_notification WHERE acknowledged_at IS NULL AND id IN (
        SELECT notification_id FROM notifications_inboxmessage
        WHERE recipient_id = %s AND id = ANY(%s) AND gone_at IS NULL)
    ORDER BY id FOR NO KEY UPDATE"""
_ACKNOWLEDGE: Final = """
    UPDATE notifications_notification SET acknowledged_at = now(),
           acknowledged_by = (SELECT external_id FROM notifications_recipient WHERE id = %s)
    WHERE id = ANY(%s)"""
_QUERIES: Final = {
    action: change_query(
        condition=f"recipient_id = %(recipient)s AND gone_at IS NULL AND {condition}"
        " AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s))",
        assignment=assignment,
    )
    for action, (condition, assignment) in _ACTIONS.items()
}


@dataclass(frozen=True, slots=True)
class Applied:
    """Where the inbox stands now, and what to publish: one event for each message that changed."""

    head: Head
    events: list[LiveEvent]


async def apply_action(
    conn: Connection,
    *,
    recipient_pk: UUID,
    action: Action,
    message_ids: Sequence[UUID] | None,
    issued_at: datetime | None = None,
) -> Applied:
    """Do `action` to these messages, or to all it fits when `message_ids` is None. Own transactions, by batches.

    `issued_at` is that of the token by which it is done. Raises `BadToken` when that has been revoked, and `NotFound`
    when one of the messages is not in this inbox; both change nothing.
    """
    events: list[LiveEvent] = []
    while True:
        async with conn.transaction():
            applied = await _apply_batch(conn, recipient_pk, action, message_ids, issued_at)
        events += applied.events
        if len(applied.events) < _BATCH:
            return Applied(applied.head, events)


async def _apply_batch(
    conn: Connection, recipient_pk: UUID, action: Action, message_ids: Sequence[UUID] | None, issued_at: datetime | None
) -> Applied:
    ids = None if message_ids is None else list(dict.fromkeys(message_ids))
    open_ids = await _lock_acknowledged(conn, recipient_pk, ids) if action == "acknowledge" else []
    locked = await (await conn.execute(_LOCK, [recipient_pk])).fetchone()
    if locked is None:
        raise NotFound("No such inbox.")
    head = Head(*locked)
    if issued_at is not None and not head.admits(issued_at):
        raise BadToken
    if ids is not None:
        known = await (await conn.execute(_KNOWN, [recipient_pk, ids, action == "delete"])).fetchone()
        if known is None or known[0] != len(ids):
            raise NotFound("No such message in this inbox.")
    if open_ids:
        await conn.execute(_ACKNOWLEDGE, [recipient_pk, open_ids])
    heads, events = await write_changes(
        conn,
        {recipient_pk: head},
        kind=_KINDS.get(action, "message.updated"),
        query=_QUERIES[action],
        values={"recipient": recipient_pk, "ids": ids, "limit": _BATCH},
    )
    return Applied(heads[recipient_pk], events)


async def _lock_acknowledged(conn: Connection, recipient_pk: UUID, ids: list[UUID] | None) -> list[UUID]:
    """The notifications behind these messages of which nobody takes care yet, locked."""
    cursor = await conn.execute(_LOCK_ACKNOWLEDGED, [recipient_pk, ids])
    return [row[0] for row in await cursor.fetchall()]

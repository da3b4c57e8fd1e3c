"""What a recipient does with messages: seen, read, unread, archive, unarchive, and all at once.

Each message that really changes takes the inbox's next offset in the same transaction; what is already so stays
without one, so a repeated command changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from notifications.errors import NotFound
from notifications.events import LiveEvent
from notifications.inbox.reads import MESSAGE_COLUMNS, Connection, Head, message_of
from notifications.inbox.shapes import live_event
from notifications.tokens import BadToken

Action = Literal["seen", "read", "unread", "archive", "unarchive", "read_all", "seen_all"]

_BATCH: Final = 500

# Each action: which messages it changes, and how.
_ACTIONS: Final[dict[Action, tuple[str, str]]] = {
    "seen": ("seen_at IS NULL", "seen_at = now()"),
    "read": ("read_at IS NULL", "read_at = now(), seen_at = coalesce(o.seen_at, now())"),
    "unread": ("read_at IS NOT NULL", "read_at = NULL"),
    "archive": ("archived_at IS NULL", "archived_at = now()"),
    "unarchive": ("archived_at IS NOT NULL", "archived_at = NULL"),
    "read_all": (
        "read_at IS NULL AND archived_at IS NULL",
        "read_at = now(), seen_at = coalesce(o.seen_at, now())",
    ),
    "seen_all": ("seen_at IS NULL AND archived_at IS NULL", "seen_at = now()"),
}
_LOCK: Final = """
    SELECT epoch, "offset", unread, unseen, tokens_valid_from
    FROM notifications_inbox WHERE recipient_id = %s FOR UPDATE"""
_KNOWN: Final = "SELECT count(*) FROM notifications_inboxmessage WHERE recipient_id = %s AND id = ANY(%s)"
_CHANGE: Final = """
    WITH o AS (
        SELECT id, "offset", seen_at, read_at, archived_at FROM notifications_inboxmessage
        WHERE recipient_id = %(recipient)s AND {condition} AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s))
        ORDER BY "offset" LIMIT %(limit)s
    ), m AS (
        UPDATE notifications_inboxmessage t SET {assignment} FROM o WHERE t.id = o.id RETURNING t.*
    )
    SELECT (o.read_at IS NULL AND o.archived_at IS NULL), (o.seen_at IS NULL AND o.archived_at IS NULL),
           (m.read_at IS NULL AND m.archived_at IS NULL), (m.seen_at IS NULL AND m.archived_at IS NULL), {columns}
    FROM m JOIN o ON o.id = m.id ORDER BY m."offset" """
_APPEND: Final = """
    INSERT INTO notifications_inboxevent (recipient_id, "offset", kind, message_id)
    SELECT %s, %s + number, 'message.updated', id FROM unnest(%s::uuid[]) WITH ORDINALITY AS given (id, number)"""
_MOVE: Final = """
    UPDATE notifications_inbox SET "offset" = %s, unread = %s, unseen = %s WHERE recipient_id = %s"""


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
    locked = await (await conn.execute(_LOCK, [recipient_pk])).fetchone()
    if locked is None:
        raise NotFound("No such inbox.")
    head = Head(*locked)
    if issued_at is not None and not head.admits(issued_at):
        raise BadToken
    ids = None if message_ids is None else list(dict.fromkeys(message_ids))
    if ids is not None:
        known = await (await conn.execute(_KNOWN, [recipient_pk, ids])).fetchone()
        if known is None or known[0] != len(ids):
            raise NotFound("No such message in this inbox.")
    condition, assignment = _ACTIONS[action]
    query = _CHANGE.format(condition=condition, assignment=assignment, columns=MESSAGE_COLUMNS)
    cursor = await conn.execute(query, {"recipient": recipient_pk, "ids": ids, "limit": _BATCH})
    rows = await cursor.fetchall()
    if not rows:
        return Applied(head, [])
    events, moved = _events(recipient_pk, head, rows)
    await conn.execute(_APPEND, [recipient_pk, head.offset, [row[4] for row in rows]])
    await conn.execute(_MOVE, [moved.offset, moved.unread, moved.unseen, recipient_pk])
    return Applied(moved, events)


def _events(recipient_pk: UUID, head: Head, rows: Sequence[Sequence[Any]]) -> tuple[list[LiveEvent], Head]:
    """One event per changed row, each with the counts right after it, and the head after the last."""
    events = []
    for was_unread, was_unseen, is_unread, is_unseen, *message in rows:
        head = head._replace(
            offset=head.offset + 1,
            unread=head.unread + is_unread - was_unread,
            unseen=head.unseen + is_unseen - was_unseen,
        )
        events.append(
            live_event(
                recipient_pk=recipient_pk,
                epoch=head.epoch,
                offset=head.offset,
                event="message.updated",
                message=message_of(message),
                unread=head.unread,
                unseen=head.unseen,
            )
        )
    return events, head

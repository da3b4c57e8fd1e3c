"""How changes are written: each takes its inbox's next offset, moves the kept counts and is logged, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from notifications.events import InboxEventName, LiveEvent
from notifications.inbox.reads import MESSAGE_COLUMNS, Connection, Head, message_of
from notifications.inbox.shapes import live_event

FORGET_CONTENT: Final = "title = '', body = '', action_url = NULL, category = NULL, actor = NULL, data = '{}'"
"""What a message that is gone keeps of what it said."""

_UNREAD: Final = "{0}.read_at IS NULL AND {0}.archived_at IS NULL AND {0}.gone_at IS NULL"
_UNSEEN: Final = "{0}.seen_at IS NULL AND {0}.archived_at IS NULL AND {0}.gone_at IS NULL"
_CHANGE: Final = """
    WITH o AS (
        SELECT id, recipient_id, "offset", seen_at, read_at, archived_at, gone_at FROM notifications_inboxmessage
        WHERE {condition} ORDER BY recipient_id, "offset" LIMIT %(limit)s
    ), m AS (
        UPDATE notifications_inboxmessage t SET {assignment} FROM o WHERE t.id = o.id RETURNING t.*
    )
    SELECT m.recipient_id, ({was_unread}), ({was_unseen}), ({is_unread}), ({is_unseen}), {columns}
    FROM m JOIN o ON o.id = m.id ORDER BY m.recipient_id, m."offset" """
_APPEND: Final = """
    INSERT INTO notifications_inboxevent (recipient_id, "offset", kind, message_id)
    SELECT recipient, at, %s, message FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[]) AS g (recipient, at, message)"""
_MOVE: Final = """
    UPDATE notifications_inbox i SET "offset" = g.at, unread = g.unread, unseen = g.unseen
    FROM unnest(%s::uuid[], %s::bigint[], %s::int[], %s::int[]) AS g (recipient, at, unread, unseen)
    WHERE i.recipient_id = g.recipient"""


def change_query(*, condition: str, assignment: str) -> str:
    """SQL that changes the messages of `condition` (at most `%(limit)s`), for `write_changes`; `o` is a row as it was."""
    return _CHANGE.format(
        condition=condition,
        assignment=assignment,
        was_unread=_UNREAD.format("o"),
        was_unseen=_UNSEEN.format("o"),
        is_unread=_UNREAD.format("m"),
        is_unseen=_UNSEEN.format("m"),
        columns=MESSAGE_COLUMNS,
    )


async def write_changes(
    conn: Connection, heads: Mapping[UUID, Head], *, kind: InboxEventName, query: str, values: Mapping[str, Any]
) -> tuple[dict[UUID, Head], list[LiveEvent]]:
    """Run `query` and log what it changed. Its inboxes' rows are locked by the caller's transaction and read into `heads`.

    Gives the heads after it, and one event for each message that changed, with the counts right after it.
    """
    rows = await (await conn.execute(query, values)).fetchall()
    if not rows:
        return dict(heads), []
    moved, events = _events(heads, rows, kind)
    await conn.execute(_APPEND, [kind, [r[0] for r in rows], [e["offset"] for e in events], [r[5] for r in rows]])
    changed = [(pk, moved[pk]) for pk in {row[0] for row in rows}]
    await conn.execute(_MOVE, list(_columns((pk, h.offset, h.unread, h.unseen) for pk, h in changed)))
    return moved, events


def _columns(rows: Iterable[Sequence[Any]]) -> Iterable[list[Any]]:
    return map(list, zip(*rows, strict=True))


def _events(
    heads: Mapping[UUID, Head], rows: Sequence[Sequence[Any]], kind: InboxEventName
) -> tuple[dict[UUID, Head], list[LiveEvent]]:
    moved, events = dict(heads), []
    for recipient_pk, was_unread, was_unseen, is_unread, is_unseen, *message in rows:
        head = moved[recipient_pk]
        head = moved[recipient_pk] = head._replace(
            offset=head.offset + 1,
            unread=head.unread + is_unread - was_unread,
            unseen=head.unseen + is_unseen - was_unseen,
        )
        events.append(
            live_event(
                recipient_pk=recipient_pk,
                epoch=head.epoch,
                offset=head.offset,
                event=kind,
                message=message_of(message),
                unread=head.unread,
                unseen=head.unseen,
            )
        )
    return moved, events

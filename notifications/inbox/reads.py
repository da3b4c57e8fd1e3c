"""Reads of the inbox log in plain SQL, for the socket and everything else that follows an inbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from notifications.events import InboxEventName
from notifications.inbox.shapes import message_out

Connection = AsyncConnection[TupleRow]

PAGE: Final = 500

MESSAGE_COLUMNS: Final = (
    'm.id, m."offset", m.title, m.body, m.action_url, m.category, m.actor, m.data,'
    " m.created_at, m.seen_at, m.read_at, m.archived_at, m.acknowledged_at"
)
_MESSAGE_FIELDS: Final = (
    "id", "offset", "title", "body", "action_url", "category", "actor", "data",
    "created_at", "seen_at", "read_at", "archived_at", "acknowledged_at",
)  # fmt: skip

_HEADS: Final = """
    SELECT recipient_id, epoch, "offset", unread, unseen, tokens_valid_from, kept_from
    FROM notifications_inbox WHERE recipient_id = ANY(%s)"""
# Arrays as text, and only what is otherwise: nearly nothing is, and making objects of four hundred rows would keep events waiting.
_MOVED: Final = """
    SELECT told.recipient_id, i.epoch, i."offset", i.unread, i.unseen, i.tokens_valid_from, i.kept_from
    FROM unnest(string_to_array(%s, ',')::uuid[], string_to_array(%s, ',')::uuid[], string_to_array(%s, ',')::bigint[])
        AS told (recipient_id, epoch, "offset")
    LEFT JOIN LATERAL (SELECT * FROM notifications_inbox i WHERE i.recipient_id = told.recipient_id LIMIT 1) i ON true
    WHERE i.recipient_id IS NULL OR i."offset" <> told."offset" OR i.epoch <> told.epoch OR i.tokens_valid_from IS NOT NULL"""
# The key lock keeps a recipient who is being erased just now from leaving an orphan.
_MAKE_HEADS: Final = """
    INSERT INTO notifications_inbox (recipient_id, epoch, "offset", unread, unseen)
    SELECT id, gen_random_uuid(), 0, 0, 0 FROM notifications_recipient WHERE id = ANY(%s) FOR KEY SHARE
    ON CONFLICT DO NOTHING"""
# What became of a message is told in the place of everything that happened to it before: of that, nothing is left to show.
_CHANGES: Final = f"""
    SELECT e."offset", coalesce(m.gone_as, e.kind), {MESSAGE_COLUMNS}
    FROM notifications_inboxevent e JOIN notifications_inboxmessage m ON m.id = e.message_id
    WHERE e.recipient_id = %s AND e."offset" > %s AND e."offset" <= %s
    ORDER BY e."offset" LIMIT %s"""  # noqa: S608 (constants only)
_OLDEST: Final = 'SELECT min("offset") FROM notifications_inboxevent WHERE recipient_id = %s'
_MESSAGES: Final = f"""
    SELECT {MESSAGE_COLUMNS} FROM notifications_inboxmessage m
    WHERE m.recipient_id = %(recipient)s AND m.gone_at IS NULL AND m."offset" {{side}} %(position)s
        AND (%(category)s::text IS NULL OR m.category = %(category)s) AND (
        (%(status)s = 'all' AND m.archived_at IS NULL) OR (%(status)s = 'archived' AND m.archived_at IS NOT NULL)
        OR (%(status)s = 'unread' AND m.read_at IS NULL AND m.archived_at IS NULL)
        OR (%(status)s = 'unseen' AND m.seen_at IS NULL AND m.archived_at IS NULL))
    ORDER BY m."offset" {{direction}} LIMIT %(limit)s"""  # noqa: S608 (constants only)
_OLDER: Final = _MESSAGES.format(side="<", direction="DESC")
_NEWER: Final = _MESSAGES.format(side=">", direction="ASC")
_MESSAGE: Final = f"""
    SELECT {MESSAGE_COLUMNS} FROM notifications_inboxmessage m
    WHERE m.recipient_id = %s AND m.id = %s AND m.gone_at IS NULL"""  # noqa: S608 (constants only)
_NEWEST: Final = 2**63 - 1


class Head(NamedTuple):
    """Where an inbox stands: its history's name, the last offset given out, the counts that belong to it, since when a
    token must have been issued to open it, and from where on the log is kept (as far as the reader asked)."""

    epoch: UUID
    offset: int
    unread: int
    unseen: int
    tokens_valid_from: datetime | None = None
    kept_from: int = 1

    def admits(self, issued_at: datetime) -> bool:
        """Whether a token of this recipient, issued then, has not been revoked."""
        return self.tokens_valid_from is None or issued_at >= self.tokens_valid_from


class Position(NamedTuple):
    """How far somebody follows an inbox; `epoch` is a UUID as text."""

    recipient_pk: UUID
    epoch: str
    offset: int


class Change(NamedTuple):
    """One entry of the log, with its message as it is now."""

    offset: int
    kind: InboxEventName
    message: dict[str, Any]


async def heads(conn: Connection, recipient_pks: Sequence[UUID]) -> dict[UUID, Head]:
    """The heads of several inboxes; a recipient without one gets it now, one that does not exist is left out.

    The head is made at the first look so that the epoch a client is told stays the same from then on.
    """
    found = await _select_heads(conn, recipient_pks)
    missing = [pk for pk in recipient_pks if pk not in found]
    if missing:
        await conn.execute(_MAKE_HEADS, [missing])
        found |= await _select_heads(conn, missing)
    return found


async def moved(conn: Connection, positions: Sequence[Position]) -> dict[UUID, Head | None]:
    """The heads of those inboxes that stand elsewhere or had tokens revoked, at whatever time; None for one that is not there."""
    recipients = ",".join([each.recipient_pk.hex for each in positions])
    epochs, offsets = ",".join([each.epoch for each in positions]), ",".join([str(each.offset) for each in positions])
    cursor = await conn.execute(_MOVED, [recipients, epochs, offsets], prepare=True)
    return {row[0]: None if row[1] is None else Head(*row[1:]) for row in await cursor.fetchall()}


async def head(conn: Connection, recipient_pk: UUID) -> Head | None:
    """The head of one inbox; None when there is no such recipient."""
    return (await heads(conn, [recipient_pk])).get(recipient_pk)


async def changes(conn: Connection, recipient_pk: UUID, *, after: int, upto: int, limit: int = PAGE) -> list[Change]:
    """The first `limit` changes with `after` < offset <= `upto`, in order.

    A message that is gone by now comes as gone with each of its changes, so that none is missing.
    """
    cursor = await conn.execute(_CHANGES, [recipient_pk, after, upto, limit])
    return [Change(row[0], row[1], message_of(row[2:])) for row in await cursor.fetchall()]


async def oldest_offset(conn: Connection, recipient_pk: UUID) -> int | None:
    """The first offset the log still has; None when it is empty."""
    row = await (await conn.execute(_OLDEST, [recipient_pk])).fetchone()
    return None if row is None else row[0]


async def messages(
    conn: Connection,
    recipient_pk: UUID,
    *,
    status: str = "all",
    category: str | None = None,
    before: int | None = None,
    after: int | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """The newest messages created before offset `before`, or the oldest created after `after`; newest first.

    `all` means all that are not archived.
    """
    position = after if after is not None else before or _NEWEST
    values = {"recipient": recipient_pk, "position": position, "status": status, "category": category, "limit": limit}
    cursor = await conn.execute(_OLDER if after is None else _NEWER, values)
    found = [message_of(row) for row in await cursor.fetchall()]
    return found if after is None else found[::-1]


async def message(conn: Connection, recipient_pk: UUID, message_id: UUID) -> dict[str, Any] | None:
    """One message as it is now; None when it is not in this inbox."""
    row = await (await conn.execute(_MESSAGE, [recipient_pk, message_id])).fetchone()
    return None if row is None else message_of(row)


def message_of(row: Sequence[Any]) -> dict[str, Any]:
    """`message_out` of one row of MESSAGE_COLUMNS."""
    return message_out(**dict(zip(_MESSAGE_FIELDS, row, strict=True)))


async def _select_heads(conn: Connection, recipient_pks: Sequence[UUID]) -> dict[UUID, Head]:
    cursor = await conn.execute(_HEADS, [list(recipient_pks)])
    return {row[0]: Head(*row[1:]) for row in await cursor.fetchall()}

"""Messages whose time is over leave the inbox: a logged change like any other, so every device drops them."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from notifications.events import LiveEvent
from notifications.inbox.reads import Connection, Head
from notifications.inbox.writing import FORGET_CONTENT, change_query, write_changes

BATCH: Final = 500

_DUE: Final = """
    SELECT recipient_id FROM notifications_inboxmessage
    WHERE expires_at <= now() AND gone_at IS NULL ORDER BY expires_at LIMIT %s"""
# Who is being changed by somebody else is left for the next look; the order is that of everybody who locks several.
_LOCK: Final = """
    SELECT recipient_id, epoch, "offset", unread, unseen, tokens_valid_from
    FROM notifications_inbox WHERE recipient_id = ANY(%s) ORDER BY recipient_id FOR UPDATE SKIP LOCKED"""
_EXPIRE: Final = change_query(
    condition="recipient_id = ANY(%(recipients)s) AND gone_at IS NULL AND (%(ids)s::uuid[] IS NULL AND expires_at <= now() OR id = ANY(%(ids)s))",
    assignment=f"gone_at = now(), gone_as = 'message.expired', {FORGET_CONTENT}",
)


async def expire_due(conn: Connection) -> tuple[list[LiveEvent], bool]:
    """Take one batch of messages whose `expires_at` is past out of their inboxes, in one transaction.

    Gives what to publish, and whether more may be due.
    """
    async with conn.transaction():
        due = [row[0] for row in await (await conn.execute(_DUE, [BATCH])).fetchall()]
        events = await expire(conn, recipient_pks=set(due)) if due else []
    return events, len(due) == BATCH and bool(events)


async def expire(
    conn: Connection, *, recipient_pks: Iterable[UUID], message_ids: Sequence[UUID] | None = None
) -> list[LiveEvent]:
    """Let these messages of these inboxes expire, or those that are due, at most `BATCH`; inside the caller's transaction."""
    rows = await (await conn.execute(_LOCK, [list(recipient_pks)])).fetchall()
    heads = {row[0]: Head(*row[1:]) for row in rows}
    values: dict[str, Any] = {"recipients": list(heads), "ids": message_ids, "limit": BATCH}
    _, events = await write_changes(conn, heads, kind="message.expired", query=_EXPIRE, values=values)
    return events

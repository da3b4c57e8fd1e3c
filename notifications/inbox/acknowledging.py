"""Acknowledging a notification from outside an inbox, by a link or over the API: what its recipient has of it there says so too."""

from typing import Final
from uuid import UUID

from notifications.errors import NotFound
from notifications.events import LiveEvent
from notifications.inbox.changes import ACKNOWLEDGING
from notifications.inbox.reads import Connection, Head
from notifications.inbox.writing import change_query, write_changes

_MOST: Final = 500
# Notifications before inboxes, as erasing locks them.
_LOCK: Final = "SELECT 1 FROM notifications_notification WHERE id = %s FOR NO KEY UPDATE"
_ACKNOWLEDGE: Final = """
    UPDATE notifications_notification SET acknowledged_at = now(),
           acknowledged_by = (SELECT external_id FROM notifications_recipient WHERE id = %s)
     WHERE id = %s AND acknowledged_at IS NULL"""
_LOCK_HEAD: Final = """
    SELECT epoch, "offset", unread, unseen FROM notifications_inbox WHERE recipient_id = %s FOR UPDATE"""
_MESSAGES: Final = change_query(
    condition="recipient_id = %(recipient)s AND notification_id = %(notification)s"
    f" AND gone_at IS NULL AND {ACKNOWLEDGING[0]}",
    assignment=ACKNOWLEDGING[1],
)


async def acknowledge_with_messages(conn: Connection, *, notification_id: UUID, recipient_pk: UUID) -> list[LiveEvent]:
    """In one transaction: the first who says so takes care, and this recipient's messages of it are acknowledged.

    Gives what to publish. Raises `NotFound`; said again it changes nothing.
    """
    async with conn.transaction():
        if await (await conn.execute(_LOCK, [notification_id])).fetchone() is None:
            raise NotFound
        await conn.execute(_ACKNOWLEDGE, [recipient_pk, notification_id])
        head = await (await conn.execute(_LOCK_HEAD, [recipient_pk])).fetchone()
        if head is None:  # erased, or never told anything in an inbox
            return []
        _, events = await write_changes(
            conn,
            {recipient_pk: Head(*head)},
            kind="message.updated",
            query=_MESSAGES,
            values={"recipient": recipient_pk, "notification": notification_id, "limit": _MOST},
        )
        return events

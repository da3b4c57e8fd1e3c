"""How much of an inbox is kept: its messages and its log, each by age and by number.

A message beyond it expires, as a logged change. The log forgets its oldest changes, always a beginning and never a middle,
and says from where on it is whole (`Inbox.kept_from`): a client that asks for more is told `recovered: false`. What is
left of a message that has gone is forgotten with the last change that tells of it.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from notifications.events import LiveEvent
from notifications.inbox.expiry import expire
from notifications.inbox.keep import Keep
from notifications.inbox.reads import Connection

_BATCH: Final = 500
_LOG_BATCH: Final = 5000
_FIRST: Final = UUID(int=0)

# Ids begin with the time they were made, so their order is that of age and the primary key finds the oldest.
_TOO_OLD: Final = """
    SELECT m.id, m.recipient_id FROM notifications_inboxmessage m
    WHERE m.id > %(after)s AND m.gone_at IS NULL AND m.created_at < now() - make_interval(days => %(days)s)
      AND m.id < (lpad(to_hex(((extract(epoch FROM now()) - 86400.0 * %(days)s) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
    ORDER BY m.id LIMIT %(limit)s"""
# An inbox can't hold more messages than it has seen changes.
_CROWDED: Final = """
    SELECT recipient_id FROM notifications_inbox
    WHERE "offset" > %(most)s AND recipient_id > %(after)s ORDER BY recipient_id LIMIT %(limit)s"""
_TOO_MANY: Final = """
    SELECT m.id, m.recipient_id FROM unnest(%(recipients)s::uuid[]) AS g (recipient_id)
    CROSS JOIN LATERAL (
        SELECT id, recipient_id FROM notifications_inboxmessage
        WHERE recipient_id = g.recipient_id AND gone_at IS NULL ORDER BY "offset" DESC OFFSET %(most)s LIMIT %(limit)s
    ) m LIMIT %(limit)s"""
# The oldest first, and only then their age: without an index by time, the look stops after so many.
_OLD_CHANGES: Final = """
    SELECT recipient_id, max("offset") FROM (
        SELECT recipient_id, "offset", created_at FROM notifications_inboxevent ORDER BY id LIMIT %(limit)s
    ) oldest WHERE created_at < now() - make_interval(days => %(days)s) GROUP BY recipient_id"""
_LONG_LOGS: Final = """
    SELECT recipient_id, least("offset" - %(most)s, kept_from - 1 + %(limit)s) FROM notifications_inbox
    WHERE "offset" - kept_from + 1 > %(most)s LIMIT 50"""
_LOCK: Final = """
    SELECT recipient_id FROM notifications_inbox WHERE recipient_id = ANY(%s) ORDER BY recipient_id FOR UPDATE SKIP LOCKED"""
_TRIM: Final = """
    WITH g AS (SELECT * FROM unnest(%(recipients)s::uuid[], %(upto)s::bigint[]) AS g (recipient_id, upto)),
    gone AS (
        DELETE FROM notifications_inboxevent e USING g
        WHERE e.recipient_id = g.recipient_id AND e."offset" <= g.upto RETURNING e.message_id
    ), moved AS (
        UPDATE notifications_inbox i SET kept_from = greatest(i.kept_from, g.upto + 1)
        FROM g WHERE i.recipient_id = g.recipient_id
    )
    SELECT DISTINCT message_id FROM gone"""
_FORGET: Final = """
    DELETE FROM notifications_inboxmessage m WHERE m.id = ANY(%s) AND m.gone_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM notifications_inboxevent e WHERE e.message_id = m.id)"""


class Retention:
    """One pass over all inboxes, a batch at a time; several at once in several processes do each other no harm."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._old_after: UUID | None = _FIRST
        self._crowded_after: UUID | None = _FIRST

    async def step(self, conn: Connection) -> tuple[list[LiveEvent], bool]:
        """One batch, in one transaction: what to publish, and whether there is more to do in this pass."""
        async with conn.transaction():
            if self._old_after is not None:
                return await self._expire_old(conn, self._old_after), True
            if self._crowded_after is not None:
                return await self._expire_crowded(conn, self._crowded_after), True
            return [], await self._trim(conn)

    async def _expire_old(self, conn: Connection, after: UUID) -> list[LiveEvent]:
        values = {"after": after, "days": self._keep.message_days, "limit": _BATCH}
        rows = await (await conn.execute(_TOO_OLD, values)).fetchall()
        self._old_after = rows[-1][0] if len(rows) == _BATCH else None
        return await _expire(conn, rows)

    async def _expire_crowded(self, conn: Connection, after: UUID) -> list[LiveEvent]:
        values = {"after": after, "most": self._keep.messages, "limit": _BATCH}
        crowded = [row[0] for row in await (await conn.execute(_CROWDED, values)).fetchall()]
        rows = await (await conn.execute(_TOO_MANY, {**values, "recipients": crowded})).fetchall()
        events = await _expire(conn, rows)
        # Who has still more is looked at again; who was busy, with the next pass.
        if not (len(rows) == _BATCH and events):
            self._crowded_after = crowded[-1] if len(crowded) == _BATCH else None
        return events

    async def _trim(self, conn: Connection) -> bool:
        values = {"days": self._keep.log_days, "most": self._keep.changes, "limit": _LOG_BATCH}
        wanted: dict[UUID, int] = {}
        for query in (_OLD_CHANGES, _LONG_LOGS):
            for recipient_pk, upto in await (await conn.execute(query, values)).fetchall():
                wanted[recipient_pk] = max(upto, wanted.get(recipient_pk, 0))
        free = [row[0] for row in await (await conn.execute(_LOCK, [list(wanted)])).fetchall()]
        cursor = await conn.execute(_TRIM, {"recipients": free, "upto": [wanted[pk] for pk in free]})
        touched = [row[0] for row in await cursor.fetchall()]
        await conn.execute(_FORGET, [touched])
        return bool(touched)


async def _expire(conn: Connection, rows: Sequence[tuple[UUID, UUID]]) -> list[LiveEvent]:
    if not rows:
        return []
    return await expire(conn, recipient_pks={row[1] for row in rows}, message_ids=[row[0] for row in rows])

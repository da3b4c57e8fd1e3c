"""The in-app channel: due deliveries become messages in their recipients' inboxes, in one transaction.

There is no network between the claim and the outcome, so no lease is needed: claim, offset, message, log entry, attempt and
final state commit together or not at all, which is what makes "one in-app message per delivery, ever" true. Only
then the recipient's group is told; that push is a hint and may be lost.
"""

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery import metrics
from delivery.claims import Message, read_messages
from delivery.states import State
from notifications import ids
from notifications.events import LiveEvent
from notifications.inbox.shapes import live_event, message_out

Connection = AsyncConnection[TupleRow]
_encode = msgspec.json.Encoder().encode

_LOCK: Final = """
    SELECT d.id, d.project_id, d.recipient_id, d.notification_id, d.expires_at <= now(), now()
      FROM delivery_delivery d JOIN notifications_recipient r ON r.id = d.recipient_id
     WHERE d.channel = 'in_app' AND d.available_at <= now()
     ORDER BY d.available_at LIMIT %s FOR UPDATE OF d SKIP LOCKED"""
_BUMP: Final = """
    INSERT INTO notifications_inbox AS mine (recipient_id, epoch, "offset", unread, unseen)
    SELECT recipient, epoch, n, n, n FROM unnest(%s::uuid[], %s::uuid[], %s::int[]) AS g (recipient, epoch, n)
    ON CONFLICT (recipient_id) DO UPDATE SET "offset" = mine."offset" + excluded."offset",
       unread = mine.unread + excluded.unread, unseen = mine.unseen + excluded.unseen
    RETURNING recipient_id, epoch, "offset", unread, unseen"""
_INSERT_MESSAGES: Final = """
    INSERT INTO notifications_inboxmessage
           (id, project_id, recipient_id, delivery_id, "offset", title, body, action_url, category, actor, data, created_at)
    SELECT g.*, %s FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::text[], %s::text[],
           %s::text[], %s::text[], %s::text[], %s::jsonb[]) AS g"""
_INSERT_EVENTS: Final = """
    INSERT INTO notifications_inboxevent (recipient_id, "offset", kind, message_id)
    SELECT recipient, at, 'message.created', message FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[]) AS g (recipient, at, message)"""
_CLOSE: Final = """
    WITH closed AS (
        UPDATE delivery_delivery d SET state = g.state, reason = g.reason, available_at = NULL, finished_at = now(),
               lease_token = NULL, claims = 0, attempt_count = d.attempt_count + 1
          FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS g (id, state, reason) WHERE d.id = g.id
        RETURNING d.id, d.attempt_count, d.reason)
    INSERT INTO delivery_attempt (id, delivery_id, number, duration_ms, outcome, response)
    SELECT a.attempt, c.id, c.attempt_count, 0, c.reason, '{}'
      FROM closed c JOIN unnest(%s::uuid[], %s::uuid[]) AS a (id, attempt) USING (id)"""


@dataclass(frozen=True, slots=True)
class _Due:
    delivery_id: UUID
    project_id: UUID
    recipient_id: UUID
    notification_id: UUID
    expired: bool | None
    now: datetime


async def deliver(connection: Connection, *, limit: int) -> tuple[int, list[LiveEvent]]:
    """Move up to `limit` due deliveries into inboxes: how many were due, and what to push to whom after the commit."""
    try:
        return await _deliver(connection, limit=limit)
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
        if limit == 1:
            return await _give_up(connection)
        return await _deliver_singly(connection, limit=limit)


async def _deliver(connection: Connection, *, limit: int) -> tuple[int, list[LiveEvent]]:
    async with connection.transaction():
        cursor = await connection.execute(_LOCK, (limit,), prepare=True)
        rows = [_Due(*row) for row in await cursor.fetchall()]
        live = [row for row in rows if not row.expired]
        events = await _store(connection, live) if live else []
        if rows:
            await _close(connection, rows)
    metrics.ATTEMPTS.labels("in_app", State.DELIVERED).inc(len(live))
    return len(rows), events


async def _deliver_singly(connection: Connection, *, limit: int) -> tuple[int, list[LiveEvent]]:
    """One row at a time, so that a row the database refuses harms only itself."""
    seen, events = 0, []
    for _ in range(limit):
        count, stored = await deliver(connection, limit=1)
        if not count:
            break
        seen += count
        events += stored
    return seen, events


async def _give_up(connection: Connection) -> tuple[int, list[LiveEvent]]:
    async with connection.transaction():
        cursor = await connection.execute(_LOCK, (1,))
        rows = [_Due(*row) for row in await cursor.fetchall()]
        await _close(connection, rows, refused=True)
    return len(rows), []


async def _store(connection: Connection, due: list[_Due]) -> list[LiveEvent]:
    """Take offsets, write messages and log entries, and build what will be stored."""
    said = await read_messages(connection, list({row.notification_id for row in due}))
    wanted = sorted(Counter(row.recipient_id for row in due).items())
    cursor = await connection.execute(
        _BUMP, ([r for r, _ in wanted], [uuid.uuid4() for _ in wanted], [n for _, n in wanted]), prepare=True
    )
    heads = {row[0]: row[1:] for row in await cursor.fetchall()}
    left = dict(wanted)
    columns: list[tuple[Any, ...]] = []
    events: list[LiveEvent] = []
    for row in due:
        epoch, head, unread, unseen = heads[row.recipient_id]
        left[row.recipient_id] -= 1
        behind = left[row.recipient_id]
        message_id = ids.new_uuid()
        message = said[row.notification_id]
        columns.append(_columns(row, message, message_id, head - behind))
        events.append(_event(row, message, message_id, epoch, head - behind, unread - behind, unseen - behind))
    lists = [list(column) for column in zip(*columns, strict=True)]
    await connection.execute(_INSERT_MESSAGES, (due[0].now, *lists), prepare=True)
    await connection.execute(_INSERT_EVENTS, (lists[2], lists[4], lists[0]), prepare=True)
    return events


def _columns(row: _Due, message: Message, message_id: UUID, offset: int) -> tuple[Any, ...]:
    return (
        message_id,
        row.project_id,
        row.recipient_id,
        row.delivery_id,
        offset,
        message.content.get("title") or "",
        message.content.get("body") or "",
        message.content.get("action_url"),
        message.category,
        message.actor,
        _encode(message.data).decode(),
    )


def _event(
    row: _Due, message: Message, message_id: UUID, epoch: UUID, offset: int, unread: int, unseen: int
) -> LiveEvent:
    out = message_out(
        id=message_id,
        offset=offset,
        title=message.content.get("title") or "",
        body=message.content.get("body") or "",
        action_url=message.content.get("action_url"),
        category=message.category,
        actor=message.actor,
        data=message.data,
        created_at=row.now,
        seen_at=None,
        read_at=None,
        archived_at=None,
    )
    return live_event(
        recipient_pk=row.recipient_id,
        epoch=epoch,
        offset=offset,
        event="message.created",
        message=out,
        unread=unread,
        unseen=unseen,
    )


async def _close(connection: Connection, rows: list[_Due], *, refused: bool = False) -> None:
    verdicts = [
        (State.FAILED, "refused_by_database") if refused
        else (State.EXPIRED, "expires_at_passed") if row.expired
        else (State.DELIVERED, "stored_in_inbox")
        for row in rows
    ]  # fmt: skip
    deliveries = [row.delivery_id for row in rows]
    attempts = [ids.new_uuid() for _ in rows]
    await connection.execute(
        _CLOSE,
        (deliveries, [str(state) for state, _ in verdicts], [reason for _, reason in verdicts], deliveries, attempts),
        prepare=True,
    )

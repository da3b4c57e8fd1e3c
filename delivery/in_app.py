"""The in-app channel: due deliveries become messages in their recipients' inboxes, in one transaction.

There is no network between the claim and the outcome, so no lease is needed: claim, offset, message, log entry, attempt and
final state commit together or not at all, which is what makes "one in-app message per delivery, ever" true. Only
then the recipient's group is told; that push is a hint and may be lost. A batch that the database refuses is done again
row by row, so that a row harms only itself.
"""

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery import metrics
from delivery.claims import Message
from delivery.due import Round, due_rows
from delivery.routing import IN_APP
from delivery.runs.filling import fill_inbox
from delivery.states import State
from delivery.status_events.recording import DELIVERY_COLUMNS, delivery_facts, recording
from delivery.wanting import unwanted_reason
from notifications import ids
from notifications.events import LiveEvent
from notifications.inbox.shapes import live_event, message_out

Connection = AsyncConnection[TupleRow]
log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode
_round = Round()

_READ: Final = """
    SELECT d.id, d.project_id, d.recipient_id, d.notification_id, d.step, d.digest_id, d.expires_at <= now(), r.id IS NULL, now(),
           d.expires_at, d.critical, p.settings::text,
           (SELECT s.preferences::text FROM notifications_projectsettings s
             WHERE s.project_id = d.project_id AND p.settings IS NOT NULL)
      FROM delivery_delivery d LEFT JOIN notifications_recipient r ON r.id = d.recipient_id
      LEFT JOIN notifications_recipientpreferences p ON p.recipient_id = d.recipient_id"""
_DUE: Final = f"""
    WITH {due_rows("delivery_delivery", where="channel = 'in_app'")} SELECT id FROM due ORDER BY n"""  # noqa: S608 - composed of our own text
_LOCK: Final = f"""
    WITH {due_rows("delivery_delivery", where="channel = 'in_app'")}
    {_READ} JOIN due ON due.id = d.id ORDER BY due.n"""
_LOCK_ONE: Final = (
    _READ
    + """
     WHERE d.channel = 'in_app' AND d.available_at <= now() AND d.id = %s FOR UPDATE OF d SKIP LOCKED"""
)
_BUMP: Final = """
    INSERT INTO notifications_inbox AS mine (recipient_id, epoch, "offset", unread, unseen)
    SELECT recipient, epoch, n, n, n FROM unnest(%s::uuid[], %s::uuid[], %s::int[]) AS g (recipient, epoch, n)
    ON CONFLICT (recipient_id) DO UPDATE SET "offset" = mine."offset" + excluded."offset",
       unread = mine.unread + excluded.unread, unseen = mine.unseen + excluded.unseen
    RETURNING recipient_id, epoch, "offset", unread, unseen"""
_INSERT_MESSAGES: Final = """
    INSERT INTO notifications_inboxmessage
           (id, project_id, recipient_id, delivery_id, notification_id, "offset", title, body, action_url, category, actor, data,
            expires_at, created_at)
    SELECT g.*, %s FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::text[], %s::text[],
           %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::timestamptz[]) AS g"""
_INSERT_EVENTS: Final = """
    INSERT INTO notifications_inboxevent (recipient_id, "offset", kind, message_id)
    SELECT recipient, at, 'message.created', message FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[]) AS g (recipient, at, message)"""
_CLOSE: Final = f"""
    WITH closed AS (
        UPDATE delivery_delivery d SET state = g.state, reason = g.reason, available_at = NULL, finished_at = now(),
               lease_token = NULL, claims = 0, attempt_count = d.attempt_count + (g.attempt IS NOT NULL)::int
          FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[]) AS g (id, state, reason, attempt) WHERE d.id = g.id
        RETURNING g.attempt, {DELIVERY_COLUMNS}),
    {recording(delivery_facts("closed"))}
    INSERT INTO delivery_attempt (id, delivery_id, number, duration_ms, outcome, response)
    SELECT attempt, id, attempt_count, 0, reason, '{{}}' FROM closed WHERE attempt IS NOT NULL"""  # noqa: S608 - composed of our own text
_REFUSED: Final = (psycopg.DataError, psycopg.IntegrityError)


@dataclass(frozen=True, slots=True)
class _Due:
    delivery_id: UUID
    project_id: UUID
    recipient_id: UUID
    notification_id: UUID
    step: str | None
    digest_id: UUID | None
    expired: bool | None
    erased: bool
    now: datetime
    expires_at: datetime | None
    critical: bool
    preferences: str | None
    defaults: str | None


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: State
    reason: str


_STORED: Final = _Verdict(State.DELIVERED, "stored_in_inbox")
_TOO_LATE: Final = _Verdict(State.EXPIRED, "expires_at_passed")
_NOBODY: Final = _Verdict(State.FAILED, "recipient_erased")
_NOTHING: Final = _Verdict(State.FAILED, "notification_erased")
_UNSAYABLE: Final = _Verdict(State.FAILED, "template_failed")
_UNSTORABLE: Final = _Verdict(State.FAILED, "refused_by_database")


async def deliver(connection: Connection, *, limit: int) -> tuple[int, list[LiveEvent]]:
    """Move up to `limit` due deliveries into inboxes: how many were due, and what to push to whom after the commit."""
    try:
        async with connection.transaction():
            cursor = await connection.execute(_LOCK, {"limit": limit, "after": _round.after}, prepare=True)
            due = [_Due(*row) for row in await cursor.fetchall()]
            _round.end(row.project_id for row in due)
            count, events = await _deliver(connection, due)
    except _REFUSED:
        count, events = await _deliver_singly(connection, limit=limit)
    metrics.ATTEMPTS.labels("in_app", State.DELIVERED).inc(len(events))
    return count, events


async def _deliver_singly(connection: Connection, *, limit: int) -> tuple[int, list[LiveEvent]]:
    cursor = await connection.execute(_DUE, {"limit": limit, "after": _round.after})
    count, events = 0, []
    for (delivery_id,) in await cursor.fetchall():
        try:
            done, stored = await _deliver_one(connection, delivery_id)
        except _REFUSED as error:
            log.warning(
                "in_app_refused_by_database", delivery=ids.encode("dlv", delivery_id), error=type(error).__name__
            )
            done, stored = await _deliver_one(connection, delivery_id, refused=True)
        count += done
        events += stored
    return count, events


async def _deliver_one(
    connection: Connection, delivery_id: UUID, *, refused: bool = False
) -> tuple[int, list[LiveEvent]]:
    async with connection.transaction():
        cursor = await connection.execute(_LOCK_ONE, (delivery_id,))
        return await _deliver(connection, [_Due(*row) for row in await cursor.fetchall()], refused=refused)


async def _deliver(connection: Connection, due: list[_Due], *, refused: bool = False) -> tuple[int, list[LiveEvent]]:
    """Decide about each locked row, store what is to be stored, and close them all; inside the caller's transaction."""
    if not due:
        return 0, []
    said = await fill_inbox(connection, due)
    verdicts = [
        _TOO_LATE if row.expired
        else _NOBODY if row.erased
        else _NOTHING if row.delivery_id not in said
        else _Verdict(State.SUPPRESSED, unwanted) if (unwanted := unwanted_reason(IN_APP, row, said[row.delivery_id]))
        else _UNSAYABLE if "unsayable" in said[row.delivery_id].content
        else _UNSTORABLE if refused
        else _STORED
        for row in due
    ]  # fmt: skip
    live = [row for row, verdict in zip(due, verdicts, strict=True) if verdict is _STORED]
    events = await _store(connection, live, said) if live else []
    await _close(connection, due, verdicts)
    return len(due), events


async def _store(connection: Connection, due: list[_Due], said: dict[UUID, Message]) -> list[LiveEvent]:
    """Take offsets, write messages and log entries, and build what will be pushed."""
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
        message = said[row.delivery_id]
        columns.append(_columns(row, message, message_id, head - behind))
        events.append(_event(row, message, message_id, epoch, head - behind, unread - behind, unseen - behind))
    lists = [list(column) for column in zip(*columns, strict=True)]
    await connection.execute(_INSERT_MESSAGES, (due[0].now, *lists), prepare=True)
    await connection.execute(_INSERT_EVENTS, (lists[2], lists[5], lists[0]), prepare=True)
    return events


def _columns(row: _Due, message: Message, message_id: UUID, offset: int) -> tuple[Any, ...]:
    return (
        message_id,
        row.project_id,
        row.recipient_id,
        row.delivery_id,
        row.notification_id,
        offset,
        message.content.get("title") or "",
        message.content.get("body") or "",
        message.content.get("action_url"),
        message.category,
        message.actor,
        _encode(message.data).decode(),
        row.expires_at,
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


async def _close(connection: Connection, due: list[_Due], verdicts: list[_Verdict]) -> None:
    """Write the final states; what was tried leaves an attempt."""
    rows = [
        (
            row.delivery_id,
            str(verdict.state),
            verdict.reason,
            ids.new_uuid() if verdict in (_STORED, _UNSAYABLE, _UNSTORABLE) else None,
        )
        for row, verdict in zip(due, verdicts, strict=True)
    ]
    await connection.execute(_CLOSE, [list(column) for column in zip(*rows, strict=True)], prepare=True)

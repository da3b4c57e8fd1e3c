"""Runs in PostgreSQL: due ones locked, new ones inserted, walked ones put where they stand. SQL in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.due import due_rows
from delivery.runs.walker import Event, Walker
from notifications import ids
from notifications.workflows.versions import Version, known_version, learn_version

Connection = AsyncConnection[TupleRow]
_encode = msgspec.json.Encoder().encode

_READ: Final = """
    SELECT u.id, u.project_id, u.notification_id, u.recipient_id, u.digest_id, u.version_id, u.critical, u.expires_at, u.position,
           u.memory, u.log, u.expires_at <= now()
      FROM delivery_run u"""
_DUE: Final = f"WITH {due_rows('delivery_run')} SELECT id FROM due ORDER BY n"  # noqa: S608 - composed of our own text
_LOCK: Final = f"WITH {due_rows('delivery_run')} {_READ} JOIN due ON due.id = u.id ORDER BY due.n"
_LOCK_ONE: Final = f"{_READ} WHERE u.id = %s AND u.available_at <= now() FOR UPDATE SKIP LOCKED"
_INSERT: Final = """
    INSERT INTO delivery_run (id, project_id, notification_id, recipient_id, digest_id, version_id, critical, expires_at, state,
                              reason, position, memory, log, available_at, finished_at, created_at)
    SELECT g.*, CASE WHEN available_at IS NULL THEN now() END, now()
      FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bool[], %s::timestamptz[], %s::text[],
                  %s::text[], %s::smallint[], %s::jsonb[], %s::jsonb[], %s::timestamptz[])
           AS g (id, project_id, notification_id, recipient_id, digest_id, version_id, critical, expires_at, state, reason,
                 position, memory, log, available_at)
    ON CONFLICT DO NOTHING"""
_MOVE: Final = """
    UPDATE delivery_run u SET state = g.state, reason = g.reason, position = g.position, memory = g.memory, log = g.log,
           available_at = g.available_at, finished_at = CASE WHEN g.available_at IS NULL THEN now() END
      FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::smallint[], %s::jsonb[], %s::jsonb[], %s::timestamptz[])
           AS g (id, state, reason, position, memory, log, available_at) WHERE u.id = g.id"""
_WAKE: Final = """
    UPDATE delivery_run SET available_at = now()
     WHERE digest_id = ANY(%s) AND state = 'waiting' AND available_at > now()"""
_END: Final = """
    UPDATE delivery_run SET state = 'failed', reason = %s, available_at = NULL, finished_at = now() WHERE id = %s"""
_VERSIONS: Final = """
    SELECT v.id, v.workflow_id, w.key, v.number, v.definition::text FROM notifications_workflowversion v
      JOIN notifications_workflow w ON w.id = v.workflow_id WHERE v.id = ANY(%s)"""
_EVENTS: Final = """
    SELECT id, project_id, data, category, critical, actor, expires_at, channels, acknowledged_at
      FROM notifications_notification WHERE id = ANY(%s)"""

ENDED_BADLY: Final = {"expires_at_passed": "expired", "cancelled_by_caller": "cancelled", "recipient_erased": "failed"}


@dataclass(frozen=True, slots=True)
class Row:
    """One due run as it stands in its table."""

    id: UUID
    project_id: UUID
    notification_id: UUID
    recipient_id: UUID
    digest_id: UUID | None
    version_id: UUID
    critical: bool
    expires_at: datetime | None
    position: int
    memory: dict[str, Any]
    log: list[dict[str, Any]]
    expired: bool | None


async def lock_due(connection: Connection, *, limit: int, after: UUID) -> list[Row]:
    """Up to `limit` due runs, locked until the commit."""
    cursor = await connection.execute(_LOCK, {"limit": limit, "after": after}, prepare=True)
    return [Row(*row) for row in await cursor.fetchall()]


async def find_due(connection: Connection, *, limit: int, after: UUID) -> list[UUID]:
    """The same, only named: for when they have to be walked one by one."""
    cursor = await connection.execute(_DUE, {"limit": limit, "after": after}, prepare=True)
    return [row[0] for row in await cursor.fetchall()]


async def lock_one(connection: Connection, run_id: UUID) -> list[Row]:
    """That run, if it is still due and nobody else's."""
    cursor = await connection.execute(_LOCK_ONE, (run_id,), prepare=True)
    return [Row(*row) for row in await cursor.fetchall()]


async def end_badly(connection: Connection, run_id: UUID, reason: str) -> None:
    """Nobody can walk it."""
    await connection.execute(_END, (reason, run_id))


async def versions_of(connection: Connection, version_ids: Iterable[UUID]) -> Mapping[UUID, Version]:
    """These versions; no query for those that the process knows."""
    wanted = set(version_ids)
    found = {version_id: known for version_id in wanted if (known := known_version(version_id)) is not None}
    if missing := list(wanted - found.keys()):
        cursor = await connection.execute(_VERSIONS, (missing,), prepare=True)
        for row in await cursor.fetchall():
            found[row[0]] = learn_version(*row)
    return found


async def events_of(connection: Connection, notification_ids: Iterable[UUID]) -> dict[UUID, Event]:
    """These notifications, as walks need them; who was erased is missing."""
    wanted = list(set(notification_ids))
    if not wanted:
        return {}
    cursor = await connection.execute(_EVENTS, (wanted,), prepare=True)
    return {
        row_id: Event(
            row_id, project_id, data, category, critical, actor, expires_at, frozenset(channels), acknowledged_at
        )
        for row_id, project_id, data, category, critical, actor, expires_at, channels, acknowledged_at in await cursor.fetchall()
    }


async def keep(connection: Connection, walkers: Sequence[Walker]) -> None:
    """Put every walk where it stands now. One that has ended and left other traces needs no row."""
    moved = [walker for walker in walkers if walker.stored]
    fresh = [w for w in walkers if not w.stored and (w.waits_until is not None or w.log or not w.said)]
    if moved:
        await _write(connection, _MOVE, [(w.run_id, *_standing(w)) for w in moved])
    if fresh:
        await _write(connection, _INSERT, [_whole(w) for w in fresh])


async def wake_digests(connection: Connection, digest_ids: Sequence[UUID]) -> None:
    """Their runs go on at once."""
    if digest_ids:
        await connection.execute(_WAKE, (list(digest_ids),), prepare=True)


def digest_run(opener: Walker, digest_id: UUID, closes_at: datetime) -> Walker:
    """The walk of a digest that `opener` opened: it waits at the digest's step."""
    return Walker(
        run_id=ids.new_uuid(),
        project_id=opener.project_id,
        stored=False,
        version=opener.version,
        target=opener.target,
        events=opener.events,
        opener_id=opener.event.id,
        critical=opener.critical,
        expires_at=None,
        position=opener.position,
        digest_id=digest_id,
        memory={"collects": True},
        waits_until=closes_at,
    )


def _standing(walker: Walker) -> tuple[Any, ...]:
    state = "waiting" if not walker.reason else ENDED_BADLY.get(walker.reason, "done")
    return (
        state,
        walker.reason,
        walker.position,
        _encode(walker.memory).decode(),
        _encode(walker.log).decode(),
        None if walker.reason else walker.waits_until,
    )


def _whole(walker: Walker) -> tuple[Any, ...]:
    state, reason, position, memory, log, available_at = _standing(walker)
    return (
        walker.run_id or ids.new_uuid(),
        walker.project_id,
        walker.opener_id,
        walker.target.recipient_id,
        walker.digest_id,
        walker.version.id,
        walker.critical,
        walker.expires_at,
        state,
        reason,
        position,
        memory,
        log,
        available_at,
    )


async def _write(connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    await connection.execute(statement, [list(column) for column in zip(*rows, strict=True)], prepare=True)

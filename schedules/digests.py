"""Joining, closing and leaving digests: SQL in the caller's transaction, whole batches at a time.

Exactness comes from three locks that PostgreSQL keeps for us: the partial unique index finds or makes the one open digest of a key and
locks it until the commit, so that nobody joins what is being closed; an item is unique per event, recipient and step; and
closing is an update that only one can make. Digests are always locked in the order of their keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from notifications import ids

Connection = AsyncConnection[TupleRow]

LONGEST_KEY: Final = 255

_JOIN: Final = """
    INSERT INTO schedules_digest AS mine (id, project_id, recipient_id, workflow_id, step, key, count, opened_at, latest_at, closes_at)
    SELECT id, project_id, recipient_id, workflow_id, step, key, n, now(), now(), closes_at
      FROM unnest(%(ids)s::uuid[], %(projects)s::uuid[], %(recipients)s::uuid[], %(workflows)s::uuid[], %(steps)s::text[],
                  %(keys)s::text[], %(counts)s::int[], %(closes)s::timestamptz[])
           AS g (id, project_id, recipient_id, workflow_id, step, key, n, closes_at)
    ON CONFLICT (recipient_id, workflow_id, step, key) WHERE joinable DO UPDATE
       SET count = mine.count + excluded.count, latest_at = now()
    RETURNING id, recipient_id, workflow_id, step, key, count, opened_at, closes_at, now()"""
_MOVE: Final = """
    UPDATE schedules_digest d SET count = g.count, joinable = g.joinable, closes_at = g.closes_at
      FROM unnest(%s::uuid[], %s::int[], %s::bool[], %s::timestamptz[]) AS g (id, count, joinable, closes_at) WHERE d.id = g.id"""
_ADD_ITEMS: Final = """
    INSERT INTO schedules_digestitem (id, digest_id, notification_id, recipient_id, step, joined_at)
    SELECT g.*, now() FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[]) AS g"""
_JOINED_BEFORE: Final = """
    SELECT i.notification_id, i.recipient_id, i.step FROM schedules_digestitem i
      JOIN unnest(%s::uuid[], %s::uuid[], %s::text[]) AS g (notification_id, recipient_id, step)
     USING (notification_id, recipient_id, step)"""
_CLOSE: Final = """
    WITH locked AS (SELECT id, closes_at FROM schedules_digest WHERE id = ANY(%s) AND closed_at IS NULL ORDER BY id FOR UPDATE),
    closed AS (
        UPDATE schedules_digest d SET closed_at = now(), joinable = false
          FROM locked l WHERE d.id = l.id AND l.closes_at <= now() RETURNING d.id)
    SELECT l.id, CASE WHEN c.id IS NULL THEN l.closes_at END FROM locked l LEFT JOIN closed c ON c.id = l.id"""
_LOCK: Final = "SELECT FROM schedules_digest WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_ITEMS: Final = """
    SELECT digest_id, notification_id FROM schedules_digestitem
     WHERE digest_id = ANY(%s) AND removed_at IS NULL ORDER BY digest_id, id"""
_REMOVE: Final = """
    WITH gone AS (
        UPDATE schedules_digestitem SET removed_at = now(), removed_reason = %s
         WHERE digest_id = ANY(%s) AND notification_id = ANY(%s) AND removed_at IS NULL RETURNING digest_id)
    UPDATE schedules_digest d SET count = d.count - g.n
      FROM (SELECT digest_id, count(*) AS n FROM gone GROUP BY digest_id) AS g WHERE d.id = g.digest_id"""


@dataclass(frozen=True, slots=True)
class Place:
    """Which digest is meant."""

    recipient_id: UUID
    workflow_id: UUID
    step: str
    key: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that wants into a digest, and how a digest that it would have to open behaves.

    `closes_at` is where its window would end if it opened now. `slide` and `longest` (seconds): every joining moves the end to
    `slide` later, at most `longest` after the opening; None: the end stays.
    """

    place: Place
    project_id: UUID
    notification_id: UUID
    closes_at: datetime
    max_items: int
    slide: float | None = None
    longest: float | None = None
    first_at_once: bool = False
    """Whether who finds no open digest opens one, but goes on alone."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Where an event is now. `opened`: it is the first there, so the digest needs somebody who sees to its closing.

    `passes`: it is not in it and goes on alone.
    """

    digest_id: UUID
    closes_at: datetime
    opened: bool
    passes: bool = False


async def join(connection: Connection, entries: Sequence[Entry]) -> list[Joined | None]:
    """Put each event into the open digest of its place, or a new one; None for what had joined at this step before.

    A digest that is full is sealed and due at once; who comes after opens the next.
    """
    found: list[Joined | None] = [None] * len(entries)
    waiting: dict[Place, list[int]] = {}
    for index in await _fresh(connection, entries):
        waiting.setdefault(entries[index].place, []).append(index)
    while waiting:
        waiting = await _fill(connection, entries, waiting, found)
    return found


async def close(connection: Connection, digest_ids: Sequence[UUID]) -> dict[UUID, datetime | None]:
    """Close those whose time has come: None; for the others when it comes. What was closed before is not in the answer."""
    cursor = await connection.execute(_CLOSE, (list(digest_ids),), prepare=True)
    return dict(await cursor.fetchall())


async def items_of(connection: Connection, digest_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The notifications in these digests, in the order in which they joined; nobody leaves them before the commit."""
    items: dict[UUID, list[UUID]] = {digest_id: [] for digest_id in digest_ids}
    if items:
        await connection.execute(_LOCK, (list(items),), prepare=True)
        cursor = await connection.execute(_ITEMS, (list(items),), prepare=True)
        for digest_id, notification_id in await cursor.fetchall():
            items[digest_id].append(notification_id)
    return items


async def remove(
    connection: Connection, digest_ids: Sequence[UUID], notification_ids: Sequence[UUID], *, reason: str
) -> None:
    """Take these out of these digests, which the caller has locked."""
    await connection.execute(_REMOVE, (reason, list(digest_ids), list(notification_ids)), prepare=True)


async def _fresh(connection: Connection, entries: Sequence[Entry]) -> list[int]:
    """Which entries are not in a digest of their step yet, each event once."""
    names = [(e.notification_id, e.place.recipient_id, e.place.step) for e in entries]
    if not names:
        return []
    cursor = await connection.execute(
        _JOINED_BEFORE, [list(column) for column in zip(*names, strict=True)], prepare=True
    )
    seen = {tuple(row) for row in await cursor.fetchall()}
    fresh = []
    for index, name in enumerate(names):
        if name not in seen:
            seen.add(name)
            fresh.append(index)
    return fresh


async def _fill(
    connection: Connection, entries: Sequence[Entry], waiting: dict[Place, list[int]], found: list[Joined | None]
) -> dict[Place, list[int]]:
    """One digest per place takes what fits; what did not."""
    places = sorted(waiting, key=lambda p: (p.recipient_id, p.workflow_id, p.step, p.key))
    fresh = {place: ids.new_uuid() for place in places}
    cursor = await connection.execute(_JOIN, _columns(entries, waiting, places, fresh), prepare=True)
    moves: list[tuple[Any, ...]] = []
    items: list[tuple[Any, ...]] = []
    left: dict[Place, list[int]] = {}
    for digest_id, recipient_id, workflow_id, step, key, count, opened_at, closes_at, now in await cursor.fetchall():
        place = Place(recipient_id, workflow_id, step, key)
        indexes = waiting[place]
        model = entries[indexes[0]]
        opened = digest_id == fresh[place]
        if opened and model.first_at_once:
            found[indexes[0]] = Joined(digest_id, closes_at, opened=True, passes=True)
            indexes, count = indexes[1:], count - 1
        over = max(0, count - model.max_items)
        fitting = indexes[: len(indexes) - over]
        if over:
            left[place] = indexes[len(fitting) :]
        full = count >= model.max_items
        at = now if full else _slid(model, now, opened_at, closes_at)
        passed = opened and model.first_at_once
        if full or passed or at != closes_at:
            moves.append((digest_id, count - over, not full, at))
        for index in fitting:
            found[index] = Joined(digest_id, at, opened and not passed and index == indexes[0])
            items.append((ids.new_uuid(), digest_id, entries[index].notification_id, recipient_id, step))
    if moves:
        await connection.execute(_MOVE, [list(column) for column in zip(*sorted(moves), strict=True)], prepare=True)
    if items:
        await connection.execute(_ADD_ITEMS, [list(column) for column in zip(*items, strict=True)], prepare=True)
    return left


def _columns(
    entries: Sequence[Entry], waiting: dict[Place, list[int]], places: list[Place], fresh: dict[Place, UUID]
) -> dict[str, Any]:
    models = [entries[waiting[place][0]] for place in places]
    return {
        "ids": [fresh[place] for place in places],
        "projects": [model.project_id for model in models],
        "recipients": [place.recipient_id for place in places],
        "workflows": [place.workflow_id for place in places],
        "steps": [place.step for place in places],
        "keys": [place.key for place in places],
        "counts": [len(waiting[place]) for place in places],
        "closes": [model.closes_at for model in models],
    }


def _slid(model: Entry, now: datetime, opened_at: datetime, closes_at: datetime) -> datetime:
    if model.slide is None or closes_at <= now:  # due: about to be closed
        return closes_at
    later = now + timedelta(seconds=model.slide)
    return later if model.longest is None else min(later, opened_at + timedelta(seconds=model.longest))

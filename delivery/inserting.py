"""Planned deliveries into their table, whole batches in one statement. SQL in the caller's transaction.

Many that are to go out are copied in (`delivery/copying.py`): at half the cost of an INSERT, but COPY knows no conflicts. Where there
is one, for somebody is reached by two entries, the copy is undone and all of them are inserted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace
from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from delivery.copying import copy_rows
from delivery.planning import Asked, Planned, decision_of
from delivery.routing import Way, is_suppression
from delivery.states import OPEN, State
from delivery.status_events.recording import DELIVERY_COLUMNS, delivery_facts, recording
from notifications import ids

Connection = AsyncConnection[TupleRow]

IN_DIGEST: Final = "sent_in_digest"
"""Reason of what an event's own delivery would have been, had it not gone out in that of its digest."""

_MANY: Final = 64
_IDS: Final = 4  # columns of ids that every row has
_INSERT: Final = """
    INSERT INTO delivery_delivery (id, project_id, notification_id, recipient_id, channel, endpoint_id, critical, expires_at, state,
                                   reason, step, digest_id, decision, available_at, finished_at)
    SELECT id, project_id, notification_id, recipient_id, channel, endpoint_id, critical, expires_at, state, reason, step, digest_id,
           decision, CASE state WHEN 'queued' THEN now() ELSE not_before END,
           CASE WHEN state NOT IN ('queued', 'scheduled') THEN now() END
      FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::bool[], %s::timestamptz[], %s::text[],
                  %s::text[], %s::text[], %s::uuid[], %s::jsonb[], %s::timestamptz[])
           AS g (id, project_id, notification_id, recipient_id, channel, endpoint_id, critical, expires_at, state, reason, step,
                 digest_id, decision, not_before)
    ON CONFLICT DO NOTHING"""
_INSERT_CLOSED: Final = f"""
    WITH inserted AS ({_INSERT.replace("INTO delivery_delivery", "INTO delivery_delivery AS d")}
        RETURNING {DELIVERY_COLUMNS}),
    {recording(delivery_facts("inserted"))}
    SELECT count(*) FROM told"""  # noqa: S608 - composed of our own text


async def insert_deliveries(connection: Connection, planned: Sequence[Planned], now: datetime) -> set[str]:
    """Those that are there already stay as they are; which channels got work that is due. `now` is the transaction's."""
    going = [(each, way) for each, way in planned if not way.reason or way.not_before is not None]
    if len(going) >= _MANY and await _copy(connection, going, now):
        await _insert(connection, [(each, way) for each, way in planned if way.reason and way.not_before is None])
    else:
        await _insert(connection, planned)
    return {way.channel for _, way in going if not way.reason}


async def _copy(connection: Connection, going: Sequence[Planned], now: datetime) -> bool:
    """False: at least one is there already, and nothing was written."""
    try:
        async with connection.transaction():
            await copy_rows(connection, going, now)
    except UniqueViolation:
        return False
    return True


async def _insert(connection: Connection, planned: Sequence[Planned]) -> None:
    if not planned:
        return
    rows = [_row(each, way) for each, way in planned]
    ended = any(row[8] not in OPEN for row in rows)
    statement = _INSERT_CLOSED if ended else _INSERT
    columns = list(zip(*rows, strict=True))
    # Ids as one text each: psycopg would look at every single one of them.
    ids_first = ["{" + ",".join(column) + "}" for column in columns[:_IDS]]
    await connection.execute(statement, [*ids_first, *(list(column) for column in columns[_IDS:])], prepare=True)


def shared(planned: Planned, others: Sequence[UUID]) -> list[Planned]:
    """What a digest's delivery means for the other notifications in it: it went out for them, or did not for the same reason."""
    asked, way = planned
    if way.not_before is not None or not way.reason:
        way = replace(way, reason=IN_DIGEST, not_before=None)
    return [(replace(asked, notification_id=other), way) for other in others]


def state_of(way: Way) -> State:
    """The state in which a delivery by this way begins."""
    if not way.reason:
        return State.QUEUED
    if way.not_before is not None:
        return State.SCHEDULED
    if way.reason == IN_DIGEST:
        return State.DIGESTED
    return State.SUPPRESSED if is_suppression(way.reason) else State.FAILED


def _row(asked: Asked, way: Way) -> tuple[Any, ...]:
    state = state_of(way)
    return (
        ids.new_uuid().hex,
        asked.project_id.hex,
        asked.notification_id.hex,
        asked.target.recipient_id.hex,
        way.channel,
        way.endpoint_id,
        asked.critical,
        asked.expires_at,
        state.value,
        way.reason,
        asked.step,
        asked.digest_id,
        decision_of(way),
        way.not_before if state is State.SCHEDULED else None,
    )

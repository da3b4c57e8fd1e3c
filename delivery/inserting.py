"""Planned deliveries into their table, whole batches in one statement. SQL in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.planning import Asked, Planned
from delivery.routing import Way, is_suppression
from delivery.states import OPEN, State
from delivery.status_events.recording import DELIVERY_COLUMNS, delivery_facts, recording
from notifications import ids
from notifications.preferences.deciding import DEFAULT
from notifications.texts import format_time

Connection = AsyncConnection[TupleRow]
_encode = msgspec.json.Encoder().encode

IN_DIGEST: Final = "sent_in_digest"
"""Reason of what an event's own delivery would have been, had it not gone out in that of its digest."""

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


async def insert_deliveries(connection: Connection, planned: Sequence[Planned]) -> set[str]:
    """Those that are there already stay as they are; which channels got work that is due."""
    if not planned:
        return set()
    rows = [_row(each, way) for each, way in planned]
    ended = any(row[8] not in OPEN for row in rows)
    statement = _INSERT_CLOSED if ended else _INSERT
    columns = list(zip(*rows, strict=True))
    # Ids as one text each: psycopg would look at every single one of them.
    ids_first = ["{" + ",".join(column) + "}" for column in columns[:_IDS]]
    await connection.execute(statement, [*ids_first, *(list(column) for column in columns[_IDS:])], prepare=True)
    return {way.channel for _, way in planned if not way.reason}


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
        _decision(way, state),
        way.not_before if state is State.SCHEDULED else None,
    )


def _decision(way: Way, state: State) -> str | None:
    """Whose preference decided and until when it has to wait for what, where anybody or anything did."""
    said: dict[str, str] = {}
    if way.level != DEFAULT:
        said["level"] = way.level
        if way.overruled:
            said["overruled"] = way.overruled
    if state is State.SCHEDULED and way.not_before is not None:
        said |= {"waits_for": way.reason, "until": format_time(way.not_before)}
    return _encode(said).decode() if said else None

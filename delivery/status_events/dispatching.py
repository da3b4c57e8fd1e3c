"""The rows behind the lane of status events: claimed under a lease, finished behind its fence, forgotten by age.

As with deliveries the lease is `available_at` moved ahead and a finish without the current token changes nothing.
Endpoints are looked at one by one, each for no more rows than it has places, the least busy first: an endpoint with a long
queue, or one that hangs, keeps no other waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.models import StatusDispatch
from delivery.retries import Verdict
from delivery.states import State

Connection = AsyncConnection[TupleRow]
_encode = msgspec.json.Encoder().encode

_CLAIM: Final = """
    WITH places AS MATERIALIZED (
        SELECT e.id, e.url, e.sealed_secret, greatest(0, %(per_endpoint)s - coalesce(b.n, 0)) AS room
          FROM delivery_eventendpoint e
          LEFT JOIN unnest(%(busy)s::uuid[], %(in_flight)s::int[]) AS b (id, n) ON b.id = e.id
         WHERE e.state = 'enabled' ORDER BY coalesce(b.n, 0), random()),
    due AS MATERIALIZED (
        SELECT d.id, p.url, p.sealed_secret FROM places p CROSS JOIN LATERAL (
            SELECT id FROM delivery_statusdispatch
             WHERE endpoint_id = p.id AND available_at <= now()
             ORDER BY available_at, event_id LIMIT p.room FOR UPDATE SKIP LOCKED) AS d
         LIMIT %(limit)s),
    claimed AS (
        UPDATE delivery_statusdispatch d
           SET lease_token = gen_random_uuid(), available_at = now() + make_interval(secs => %(lease)s),
               attempt_count = d.attempt_count + 1
          FROM due WHERE d.id = due.id
        RETURNING d.id, d.lease_token, d.endpoint_id, d.event_id, d.attempt_count, d.retry_step, due.url, due.sealed_secret)
    SELECT c.id, c.lease_token, c.endpoint_id, c.event_id, c.attempt_count, c.retry_step, c.url, c.sealed_secret,
           v.type, v.data, v.created_at, r.external_id
      FROM claimed c JOIN delivery_statusevent v ON v.id = c.event_id
      LEFT JOIN notifications_recipient r ON r.id = v.recipient_id
     ORDER BY c.event_id"""
_FINISH: Final = """
    WITH finished AS (
        UPDATE delivery_statusdispatch
           SET state = %(state)s, outcome = %(outcome)s, response = %(response)s::jsonb, retry_step = %(retry_step)s,
               lease_token = NULL, available_at = now() + make_interval(secs => %(delay)s),
               finished_at = CASE WHEN %(delay)s::float8 IS NULL THEN now() END
         WHERE id = %(id)s AND lease_token = %(token)s
        RETURNING endpoint_id)
    UPDATE delivery_eventendpoint e SET state = 'disabled', disabled_reason = %(outcome)s
      FROM finished f WHERE e.id = f.endpoint_id AND %(disable)s AND e.state = 'enabled'"""
_FORGET: Final = """
    WITH old AS MATERIALIZED (
        SELECT id FROM delivery_statusevent WHERE created_at < now() - make_interval(days => %(days)s)
         ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
    undone AS (DELETE FROM delivery_statusdispatch d USING old WHERE d.event_id = old.id),
    gone AS (DELETE FROM delivery_statusevent v USING old WHERE v.id = old.id)
    SELECT count(*) FROM old"""
_FORGOTTEN_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class Claim:
    """One event that this process may try to tell one endpoint until its lease ends."""

    dispatch_id: UUID
    token: UUID
    endpoint_id: UUID
    event_id: UUID
    attempt: int
    retry_step: int
    url: str
    sealed_secret: str
    kind: str
    data: dict[str, Any]
    created_at: datetime
    recipient: str | None


async def claim(
    connection: Connection, *, limit: int, per_endpoint: int, in_flight: Mapping[UUID, int], lease_seconds: float
) -> list[Claim]:
    """Take up to `limit` due dispatches, oldest first; of an endpoint as many as leave it below `per_endpoint`."""
    values = {
        "limit": limit,
        "per_endpoint": per_endpoint,
        "busy": list(in_flight),
        "in_flight": list(in_flight.values()),
        "lease": lease_seconds,
    }
    cursor = await connection.execute(_CLAIM, values, prepare=True)
    return [Claim(*row) for row in await cursor.fetchall()]


async def finish(connection: Connection, item: Claim, verdict: Verdict, response: Mapping[str, Any]) -> None:
    """Write what came of an attempt; nothing when its lease has passed to another."""
    values = {
        "id": item.dispatch_id,
        "token": item.token,
        "state": _STATES[verdict.state],
        "outcome": verdict.outcome[:64],
        "response": _encode(response).decode(),
        "retry_step": verdict.retry_step,
        "delay": verdict.delay_seconds,
        "disable": verdict.disable_endpoint,
    }
    await connection.execute(_FINISH, values, prepare=True)


async def forget(connection: Connection, *, days: int) -> bool:
    """Delete a batch of events older than `days` with all that was tried; whether there may be more."""
    cursor = await connection.execute(_FORGET, {"days": days, "limit": _FORGOTTEN_AT_ONCE})
    row = await cursor.fetchone()
    return row is not None and row[0] == _FORGOTTEN_AT_ONCE


_STATES: Final = {
    State.SENT: StatusDispatch.State.DELIVERED.value,
    State.FAILED: StatusDispatch.State.FAILED.value,
    State.RETRYING: StatusDispatch.State.PENDING.value,
    State.QUEUED: StatusDispatch.State.PENDING.value,
}

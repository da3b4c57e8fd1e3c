"""Endpoints in trouble, in the database: failures are noted, successes forgive, circuits open, the hopeless are disabled.

One batch of statements per group of finished attempts, and none when all went well: a healthy endpoint has no row. Endpoints are
taken in order, so that writers of several processes do not wait for each other in a circle.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.notices import Disabled, tell_disabled

Connection = AsyncConnection[TupleRow]

FAILING: Final = "failing"
GONE: Final = "gone"

# A day is the longest wait between two attempts; after two without any, a new series of failures begins.
_NOTE: Final = """
    INSERT INTO delivery_endpointtrouble AS mine (endpoint_id, failures, trips, held_until)
    SELECT id, failures, coalesce(trips, 0), now() + make_interval(secs => wait)
      FROM unnest(%s::uuid[], %s::int[], %s::smallint[], %s::float8[]) AS g (id, failures, trips, wait)
    ON CONFLICT (endpoint_id) DO UPDATE SET
        failing_since = CASE WHEN mine.last_failed_at < now() - interval '2 days' THEN now() ELSE mine.failing_since END,
        failures = excluded.failures
                   + CASE WHEN mine.last_failed_at < now() - interval '2 days' THEN 0 ELSE mine.failures END,
        last_failed_at = now(),
        trips = CASE WHEN excluded.held_until IS NULL THEN mine.trips ELSE excluded.trips END,
        held_until = CASE WHEN excluded.trips > mine.trips THEN excluded.held_until  -- the probe has ended
                          ELSE greatest(mine.held_until, excluded.held_until) END
    RETURNING endpoint_id, failures >= %s AND failing_since <= now() - make_interval(secs => %s)"""
_TAKE: Final = """
    SELECT FROM delivery_endpointtrouble WHERE endpoint_id = ANY(%s) ORDER BY endpoint_id FOR UPDATE"""
_FORGIVE: Final = """
    DELETE FROM delivery_endpointtrouble WHERE endpoint_id IN (
        SELECT endpoint_id FROM delivery_endpointtrouble WHERE endpoint_id = ANY(%s) ORDER BY endpoint_id FOR UPDATE)"""
_DISABLE: Final = """
    UPDATE notifications_endpoint e SET state = 'disabled', disabled_reason = g.reason
      FROM unnest(%s::uuid[], %s::text[]) AS g (id, reason), notifications_recipient r
     WHERE e.id = g.id AND e.state = 'enabled' AND r.id = e.recipient_id
    RETURNING e.id, e.project_id, e.recipient_id, e.channel, r.external_id, e.disabled_reason"""
_TAKE_PROBE: Final = """
    UPDATE delivery_endpointtrouble SET held_until = now() + make_interval(secs => %s)
     WHERE endpoint_id = ANY(%s) AND trips > 0 AND held_until <= now() RETURNING endpoint_id"""


@dataclass(frozen=True, slots=True)
class Health:
    """What one attempt says about its endpoint. `trips` and `wait` (seconds) when the circuit opens with it."""

    endpoint_id: UUID
    ok: bool
    trips: int | None = None
    wait: float | None = None


async def note_health(
    connection: Connection,
    found: Iterable[Health],
    *,
    gone: Iterable[UUID],
    least_failures: int,
    failing_seconds: float,
) -> None:
    """Record a group's news, inside the caller's transaction; disables who said `gone` or failed for too long."""
    news = list(found)
    well = {health.endpoint_id for health in news if health.ok}
    failed: dict[UUID, list[Health]] = {}
    for health in news:
        if not health.ok and health.endpoint_id not in well:
            failed.setdefault(health.endpoint_id, []).append(health)
    reasons = dict.fromkeys(gone, GONE)
    if well and failed:  # two statements: rows taken in one order by everybody
        await connection.execute(_TAKE, (sorted(well | failed.keys()),), prepare=True)
    if well:
        await connection.execute(_FORGIVE, (sorted(well),), prepare=True)
    if failed:
        rows = [_row(endpoint_id, failed[endpoint_id]) for endpoint_id in sorted(failed)]
        columns = [list(column) for column in zip(*rows, strict=True)]
        cursor = await connection.execute(_NOTE, (*columns, least_failures, failing_seconds), prepare=True)
        reasons = {row[0]: FAILING for row in await cursor.fetchall() if row[1]} | reasons
    if reasons:
        await _disable(connection, reasons)


async def take_probes(connection: Connection, endpoint_ids: Iterable[UUID], *, seconds: float) -> set[UUID]:
    """Of these half-open endpoints those that this process may probe, once; the others are held for `seconds` meanwhile."""
    cursor = await connection.execute(_TAKE_PROBE, (seconds, sorted(endpoint_ids)), prepare=True)
    return {row[0] for row in await cursor.fetchall()}


async def _disable(connection: Connection, reasons: dict[UUID, str]) -> None:
    ordered = sorted(reasons)
    cursor = await connection.execute(_DISABLE, (ordered, [reasons[endpoint_id] for endpoint_id in ordered]))
    disabled = [Disabled(*row) for row in await cursor.fetchall()]
    await connection.execute(_FORGIVE, (ordered,), prepare=True)  # enabled again, it begins anew
    await tell_disabled(connection, disabled)


def _row(endpoint_id: UUID, failures: list[Health]) -> tuple[UUID, int, int | None, float | None]:
    trips = max((health.trips for health in failures if health.trips is not None), default=None)
    wait = max((health.wait for health in failures if health.wait is not None), default=None)
    return endpoint_id, len(failures), trips, wait

"""Sends per second of a project and of a channel: what is above is put off, never dropped.

The generic cell rate algorithm, with up to a second's worth at once, in the rows of `SendLimit`: all processes share them, and they
are as durable as what they hold back. What is put off gets the times at which its turn will come, one after another on a
second clock, so that it is not claimed over and over. Where no limit is set this costs one look at an
empty table every few seconds.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.claims import Claim

Connection = AsyncConnection[TupleRow]

LONGEST_DELAY_SECONDS: Final = 3600.0
_CRITICAL_DELAY_SECONDS: Final = 1.0  # comes first in its next batch, so it need not queue behind the others
_KNOWN_SECONDS: Final = 5.0

_READ: Final = "SELECT project_id, id FROM delivery_sendlimit WHERE channel = %s"
_SPEND: Final = """
    WITH was AS (
        SELECT id, per_second, greatest(spent_until, now()) AS spent, greatest(planned_until, spent_until, now()) AS planned
          FROM delivery_sendlimit WHERE id = %(id)s FOR UPDATE),
    fit AS (
        SELECT *, least(%(count)s, greatest(0, floor(
                   greatest(1, per_second) - extract(epoch FROM spent - now())::float8 * per_second)))::int AS allowed,
               CASE WHEN planned < now() + make_interval(secs => %(longest)s) THEN planned ELSE spent END AS plan
          FROM was)
    UPDATE delivery_sendlimit mine
       SET spent_until = spent + make_interval(secs => allowed / fit.per_second),
           planned_until = plan + make_interval(secs => (%(count)s - allowed) / fit.per_second)
      FROM fit WHERE mine.id = fit.id
    RETURNING allowed, extract(epoch FROM plan - now())::float8, fit.per_second"""


class Limits:
    """The limits of one channel, as one process knows them."""

    def __init__(self, channel: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._channel = channel
        self._clock = clock
        self._read_at = float("-inf")
        self._limits: dict[UUID | None, UUID] = {}

    async def spend(self, connection: Connection, claims: Sequence[Claim]) -> dict[UUID, float]:
        """By token the seconds to wait of those claims that are above a limit; critical ones are first to be let through."""
        if self._clock() - self._read_at > _KNOWN_SECONDS:
            cursor = await connection.execute(_READ, (self._channel,), prepare=True)
            self._limits = dict(await cursor.fetchall())
            self._read_at = self._clock()
        if not self._limits or not claims:
            return {}
        delays: dict[UUID, float] = {}
        by_project: dict[UUID, list[Claim]] = defaultdict(list)
        for item in claims:
            by_project[item.project_id].append(item)
        for project_id in sorted(by_project.keys() & self._limits.keys()):
            await self._spend(connection, self._limits[project_id], by_project[project_id], delays)
        if None in self._limits:
            left = [item for item in claims if item.token not in delays]
            await self._spend(connection, self._limits[None], left, delays)
        return delays

    async def _spend(self, connection: Connection, limit: UUID, items: list[Claim], delays: dict[UUID, float]) -> None:
        values = {"id": limit, "count": len(items), "longest": LONGEST_DELAY_SECONDS}
        row = await (await connection.execute(_SPEND, values, prepare=True)).fetchone()
        if row is None:  # removed meanwhile
            return
        allowed, ahead, per_second = row
        ordered = sorted(items, key=lambda item: not item.critical)
        for number, item in enumerate(ordered[allowed:], start=1):
            delay = ahead + number / per_second
            delays[item.token] = min(delay, _CRITICAL_DELAY_SECONDS) if item.critical else delay

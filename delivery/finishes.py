"""Finishing: outcomes of attempts written in groups, fenced by their lease tokens.

Like intake's group commit: while one flush is under way, outcomes gather for the next. An outcome whose token is no longer
the delivery's came too late: it is noted at its attempt (`applied` false) and changes nothing else. What the database
refuses is written alone and without the other side's words, so it harms nobody else.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
import structlog

from delivery import metrics
from delivery.retries import Verdict
from notifications.database import UNREACHABLE, Pool

log = structlog.get_logger(__name__)

_PAUSE_SECONDS: Final = 0.5
_MOST: Final = 500
_ENOUGH: Final = 50
_LINGER_SECONDS: Final = 0.005  # others finish meanwhile; one commit for all of them
_LONGEST_REASON: Final = 64
_REFUSED: Final = (psycopg.DataError, psycopg.IntegrityError, UnicodeError, TypeError)
_encode = msgspec.json.Encoder().encode

_FINISH: Final = """
    WITH given AS (
        SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::float8[], %s::smallint[], %s::text[],
                             %s::int[], %s::jsonb[])
            AS g (id, token, state, reason, delay, retry_step, outcome, duration_ms, response)),
    finished AS (
        UPDATE delivery_delivery d
           SET state = g.state, reason = g.reason, retry_step = g.retry_step, claims = 0, lease_token = NULL,
               available_at = now() + make_interval(secs => g.delay),
               finished_at = CASE WHEN g.delay IS NULL THEN now() END
          FROM given g WHERE d.id = g.id AND d.lease_token = g.token
        RETURNING g.token)
    UPDATE delivery_attempt a
       SET outcome = g.outcome, duration_ms = g.duration_ms, response = g.response,
           -- Written before already: only the answer to that commit was lost.
           applied = EXISTS (SELECT FROM finished f WHERE f.token = g.token) OR (a.outcome IS NOT NULL AND a.applied)
      FROM given g WHERE a.id = g.token
    RETURNING a.applied"""
_DISABLE: Final = """
    UPDATE notifications_endpoint SET state = 'disabled', disabled_reason = 'gone' WHERE id = ANY(%s) AND state = 'enabled'"""


@dataclass(frozen=True, slots=True)
class Finish:
    """One attempt that is over."""

    delivery_id: UUID
    token: UUID
    endpoint_id: UUID | None
    channel: str
    verdict: Verdict
    duration_ms: int
    response: dict[str, Any]


class Finisher:
    """Writes finishes of one process; `write` returns when the outcome is in the database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[tuple[Finish, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, finish: Finish) -> None:
        """Record the outcome. While PostgreSQL is away this waits: the lease may end, the fence then decides."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((finish, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        await future

    async def _run(self) -> None:
        while self._waiting:
            if len(self._waiting) < _ENOUGH:
                await asyncio.sleep(_LINGER_SECONDS)
            group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                await self._flush([finish for finish, _ in group])
            except UNREACHABLE:
                log.warning("finish_database_unreachable", waiting=len(group))
                self._waiting = group + self._waiting
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            except Exception:
                log.exception("finish_failed", attempts=len(group))  # their leases run out
            for _, future in group:
                if not future.done():
                    future.set_result(None)

    async def _flush(self, group: list[Finish]) -> None:
        try:
            await self._write(group)
        except _REFUSED as error:
            if len(group) > 1:
                for finish in group:
                    await self._flush([finish])
                return
            log.warning("finish_refused_by_database", error=type(error).__name__, channel=group[0].channel)
            await self._write([_bare(group[0])])

    async def _write(self, group: list[Finish]) -> None:
        columns = zip(*(_row(finish) for finish in sorted(group, key=lambda finish: finish.delivery_id)), strict=True)
        gone = [f.endpoint_id for f in group if f.verdict.disable_endpoint and f.endpoint_id]
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(_FINISH, [list(column) for column in columns], prepare=True)
            late = sum(1 for (applied,) in await cursor.fetchall() if not applied)
            if gone:
                await connection.execute(_DISABLE, (gone,))
        metrics.LATE.inc(late)
        for finish in group:
            metrics.ATTEMPTS.labels(finish.channel, finish.verdict.state).inc()


def _bare(finish: Finish) -> Finish:
    """The same outcome in words that surely fit."""
    verdict = replace(
        finish.verdict,
        reason=finish.verdict.reason[:_LONGEST_REASON],
        outcome=finish.verdict.outcome[:_LONGEST_REASON],
    )
    return replace(finish, verdict=verdict, response={})


def _row(finish: Finish) -> tuple[Any, ...]:
    verdict = finish.verdict
    return (
        finish.delivery_id,
        finish.token,
        str(verdict.state),
        verdict.reason,
        verdict.delay_seconds,
        verdict.retry_step,
        verdict.outcome,
        finish.duration_ms,
        _encode(finish.response).decode(),
    )

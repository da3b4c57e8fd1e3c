"""Finishing: outcomes of attempts written in groups, fenced by their lease tokens.

Like intake's group commit: while one flush is under way, outcomes gather for the next. An outcome whose token is no longer
the delivery's came too late: it is noted at its attempt (`applied` false) and changes nothing else. What the database
refuses is written alone and without the other side's words, so it harms nobody else.
"""

import asyncio
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
import structlog

from delivery import metrics
from delivery.conf import DeliveryConf
from delivery.finish import Finish
from delivery.journal import Journal, find_estates
from delivery.status_events.recording import DELIVERY_COLUMNS, delivery_facts, recording
from delivery.suppressing import Refusal, add_bounces
from delivery.troubles import note_health
from notifications.database import UNREACHABLE, Pool

log = structlog.get_logger(__name__)

_PAUSE_SECONDS: Final = 0.5
_MOST: Final = 500
_ENOUGH: Final = 80
_LONGEST_REASON: Final = 64
_REFUSED: Final = (psycopg.DataError, psycopg.IntegrityError, UnicodeError, TypeError)
_encode = msgspec.json.Encoder().encode

_FINISH: Final = f"""
    WITH given AS (
        SELECT * FROM json_to_recordset(%s::json)
            AS g (id uuid, token uuid, state text, reason text, delay float8, retry_step smallint, outcome text,
                  duration_ms int, response jsonb, request jsonb)),
    finished AS (
        UPDATE delivery_delivery d
           SET state = g.state, reason = g.reason, retry_step = g.retry_step, claims = 0, lease_token = NULL,
               available_at = now() + make_interval(secs => g.delay),
               finished_at = CASE WHEN g.delay IS NULL THEN now() END
          FROM given g WHERE d.id = g.id AND d.lease_token = g.token
        RETURNING g.token, {DELIVERY_COLUMNS}),
    {recording(delivery_facts("finished"))}
    UPDATE delivery_attempt a
       SET outcome = g.outcome, duration_ms = g.duration_ms, response = g.response, request = g.request,
           applied = EXISTS (SELECT FROM finished f WHERE f.token = g.token)
      FROM given g WHERE a.id = g.token AND a.outcome IS NULL  -- not what an earlier try wrote whose answer was lost
    RETURNING a.applied"""  # noqa: S608 - composed of our own text
_TAKE_BACK: Final = """
    WITH taken AS (
        UPDATE delivery_delivery d
           SET state = g.state, reason = g.reason, claims = greatest(0, d.claims - 1), attempt_count = d.attempt_count - 1,
               lease_token = NULL, available_at = now() + make_interval(secs => g.delay)
          FROM json_to_recordset(%s::json) AS g (id uuid, token uuid, state text, reason text, delay float8)
         WHERE d.id = g.id AND d.lease_token = g.token
        RETURNING g.token)
    DELETE FROM delivery_attempt WHERE id IN (SELECT token FROM taken)"""


class Finisher:
    """Writes finishes of one process; `write` returns when the outcome is in the database."""

    def __init__(self, pool: Pool, conf: DeliveryConf | None = None) -> None:
        self._pool = pool
        self._conf = conf or DeliveryConf()
        self._waiting: list[tuple[Finish, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._journal = Journal(self._conf.journal_folder)
        self._executors: asyncio.Task[None] | None = None

    async def write(self, finish: Finish) -> None:
        """Record the outcome. While PostgreSQL is away this waits: the lease may end, the fence then decides."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not finish.verdict.unbegun:
            self._journal.add(finish)
        self._waiting.append((finish, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        await future

    def look_for_estates(self) -> None:
        """Record what processes that died here knew, unless that is under way."""
        if self._executors is None or self._executors.done():
            self._executors = asyncio.create_task(self._execute_estates(), name="estates")

    async def aclose(self) -> None:
        """Nothing is written any more; what could not be recorded is left to whoever lives on."""
        if self._executors is not None:
            self._executors.cancel()
            await asyncio.gather(self._executors, return_exceptions=True)
        if not self._waiting:
            self._journal.close()

    async def _execute_estates(self) -> None:
        for estate in await asyncio.to_thread(find_estates, self._conf.journal_folder):
            recorded = False
            try:
                if estate.finishes:
                    log.info("outcomes_of_the_dead", attempts=len(estate.finishes))
                await asyncio.gather(*map(self.write, estate.finishes))
                recorded = True
            finally:
                estate.close(recorded=recorded)

    async def _run(self) -> None:
        while self._waiting:
            if len(self._waiting) < _ENOUGH:
                await asyncio.sleep(self._conf.finish_linger_seconds)
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
            self._journal.settle(finish for finish, _ in self._waiting)
            for _, future in group:
                if not future.done():
                    future.set_result(None)

    async def _flush(self, group: list[Finish]) -> None:
        try:
            await self._write(group)
        except UNREACHABLE:
            raise
        except Exception as error:
            if len(group) > 1:
                for finish in group:
                    await self._flush([finish])
                return
            log.warning(
                "finish_refused",
                error=type(error).__name__,
                channel=group[0].channel,
                exc_info=not isinstance(error, _REFUSED),
            )
            await self._write([_bare(group[0])])

    async def _write(self, group: list[Finish]) -> None:
        group = sorted(group, key=lambda finish: finish.delivery_id)
        done = [finish for finish in group if not finish.verdict.unbegun]
        untouched = [finish for finish in group if finish.verdict.unbegun]
        gone = [f.endpoint_id for f in done if f.verdict.disable_endpoint and f.endpoint_id]
        refused = [_refusal(f.delivery_id, f.address, f.response) for f in done if f.verdict.suppress and f.address]
        health = [finish.health for finish in done if finish.health]
        late = 0
        async with self._pool.connection() as connection, connection.transaction():
            if untouched:
                await connection.execute(_TAKE_BACK, (_rows(untouched),), prepare=True)
            if done:
                cursor = await connection.execute(_FINISH, (_rows(done),), prepare=True)
                late = sum(1 for (applied,) in await cursor.fetchall() if not applied)
            if gone or health:
                await note_health(
                    connection,
                    health,
                    gone=gone,
                    least_failures=self._conf.disable_after_failures,
                    failing_seconds=self._conf.disable_after_seconds,
                )
            if refused:
                await add_bounces(connection, refused)
        metrics.LATE.inc(late)
        metrics.PUT_OFF.inc(len(untouched))
        for finish in done:
            metrics.ATTEMPTS.labels(finish.channel, finish.verdict.state).inc()


def _bare(finish: Finish) -> Finish:
    """The same outcome in words that surely fit, and nothing that follows from it."""
    verdict = replace(
        finish.verdict,
        reason=finish.verdict.reason[:_LONGEST_REASON],
        outcome=finish.verdict.outcome[:_LONGEST_REASON],
        disable_endpoint=False,
        suppress=False,
    )
    return replace(finish, verdict=verdict, response={}, request=None, health=None)


def _refusal(delivery_id: UUID, address: str, response: dict[str, Any]) -> Refusal:
    return Refusal(delivery_id, address, str(response.get("text", "")))


def _rows(group: list[Finish]) -> str:
    return _encode([_row(finish) for finish in group]).decode()


def _row(finish: Finish) -> dict[str, Any]:
    verdict = finish.verdict
    return {
        "id": finish.delivery_id,
        "token": finish.token,
        "state": verdict.state,
        "reason": verdict.reason,
        "delay": verdict.delay_seconds,
        "retry_step": verdict.retry_step,
        "outcome": verdict.outcome,
        "duration_ms": finish.duration_ms,
        "response": finish.response,
        "request": finish.request,
    }

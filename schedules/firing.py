"""Schedules that are due are made into notifications: each time once, whoever else tries.

One transaction locks the schedule's row (others pass over it), records the time, accepts the notification through the same
writer as a request, and moves the schedule on. Killed anywhere before the commit nothing of it happened, and the row is due
as before. A time that is recorded already is not made again, whatever rule or clock brings it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from notifications import ids, texts
from notifications.conf import NotificationsConf
from notifications.errors import CarillonError, Invalid
from notifications.intake.requests import Answer, Request
from notifications.intake.submission import Submission, parse_submission
from notifications.intake.writer import write
from schedules.catching_up import Due, settle
from schedules.models import ScheduleRun
from schedules.periodic import entry_name
from schedules.timing import Timing

log = structlog.get_logger(__name__)
Connection = AsyncConnection[TupleRow]

BATCH: Final = 50
FIRED: Final = ScheduleRun.Outcome.FIRED.value
MISSED: Final = ScheduleRun.Outcome.MISSED.value
REFUSED: Final = ScheduleRun.Outcome.REFUSED.value
_UNWRITABLE: Final = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError, LookupError)
_CLAIM: Final = """
    SELECT id, project_id, key, cron, at, every, rrule, timezone, start, "end", anchor, catch_up, notification,
           next_at, asked_at, now() AS now
      FROM schedules_schedule WHERE next_at <= now() OR asked_at IS NOT NULL
     ORDER BY next_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED"""
_RECORDED: Final = """
    SELECT schedule_id, occurrence FROM schedules_schedulerun
      JOIN unnest(%s::uuid[], %s::timestamptz[]) AS g (schedule_id, occurrence) USING (schedule_id, occurrence)"""
_RECORD: Final = """
    INSERT INTO schedules_schedulerun (id, schedule_id, occurrence, outcome, notification_id, reason, passed_over_since)
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[], %s::uuid[], %s::text[], %s::timestamptz[])"""
_MOVE: Final = """
    UPDATE schedules_schedule s SET next_at = g.next_at, asked_at = NULL
      FROM unnest(%s::uuid[], %s::timestamptz[]) AS g (id, next_at) WHERE s.id = g.id"""
_FALL_SILENT: Final = """
    WITH silent AS (
        UPDATE django_celery_beat_periodictask SET enabled = false WHERE enabled AND name = ANY(%s) RETURNING id)
    UPDATE django_celery_beat_periodictasks SET last_update = now() WHERE EXISTS (SELECT FROM silent)"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A schedule that is due, by its columns, with the database's time."""

    id: UUID
    project_id: UUID
    key: str
    cron: str | None
    at: datetime | None
    every: str | None
    rrule: str | None
    timezone: str
    start: datetime | None
    end: datetime | None
    anchor: datetime
    catch_up: str
    notification: dict[str, Any]
    next_at: datetime | None
    asked_at: datetime | None
    now: datetime

    def settle(self) -> Due:
        """What becomes of its times. Raises ValueError or LookupError where its rule can't be read any more."""
        if self.next_at is None or self.next_at > self.now:
            return Due((), None, None, self.next_at)
        timing = Timing(
            cron=self.cron,
            at=self.at,
            every=self.every,
            rrule=self.rrule,
            timezone=self.timezone,
            start=self.start,
            end=self.end,
        )
        return settle(timing, anchor=self.anchor, catch_up=self.catch_up, next_at=self.next_at, now=self.now)


@dataclass(slots=True)
class Run:
    """One time of a schedule on its way to being recorded."""

    schedule: Claimed
    occurrence: datetime
    outcome: str = FIRED
    passed_over_since: datetime | None = None
    notification_id: UUID | None = None
    reason: str = ""

    def refuse(self, reason: str) -> None:
        log.warning("schedule_refused", schedule_id=str(self.schedule.id))
        self.outcome, self.notification_id, self.reason = REFUSED, None, reason[:500]


@dataclass(frozen=True, slots=True)
class Fired:
    """How many notifications were accepted, and whether more schedules may be due."""

    count: int
    more: bool


async def fire_due(connection: Connection, conf: NotificationsConf, *, limit: int = BATCH) -> Fired:
    """Make what is due, of at most `limit` schedules. Raises psycopg errors; then nothing of it happened."""
    async with connection.transaction():
        async with connection.cursor(row_factory=class_row(Claimed)) as cursor:
            claimed = await (await cursor.execute(_CLAIM, (limit,))).fetchall()
        if not claimed:
            return Fired(0, False)
        runs: list[Run] = []
        following = {schedule.id: _runs_of(schedule, runs) for schedule in claimed}
        runs = await _unrecorded(connection, runs)
        await _accept(connection, [run for run in runs if run.outcome == FIRED], conf)
        await _record(connection, runs)
        await connection.execute(_MOVE, (list(following), list(following.values())))
        if over := [entry_name(s.key, s.id) for s in claimed if following[s.id] is None]:
            await connection.execute(_FALL_SILENT, (over,))
    behind = any(time is not None and time <= claimed[0].now for time in following.values())
    return Fired(sum(run.outcome == FIRED for run in runs), behind or len(claimed) == limit)


def _runs_of(schedule: Claimed, runs: list[Run]) -> datetime | None:
    """Add what is to be made of a schedule to `runs`; when it comes next."""
    if schedule.asked_at is not None:
        runs.append(Run(schedule, schedule.asked_at))
    try:
        due = schedule.settle()
    except (ValueError, LookupError) as error:
        runs.append(Run(schedule, schedule.next_at or schedule.now))
        runs[-1].refuse(f"The rule cannot be read: {error}")
        return None
    runs += [Run(schedule, time, passed_over_since=due.passed_over_since) for time in due.fire]
    if due.missed is not None:
        runs.append(Run(schedule, due.missed, MISSED, due.passed_over_since))
    return due.next_at


async def _unrecorded(connection: Connection, runs: list[Run]) -> list[Run]:
    """Those of times that were not made before. The schedules are locked, so nobody records any meanwhile."""
    named = {(run.schedule.id, run.occurrence): run for run in runs}
    cursor = await connection.execute(_RECORDED, ([name[0] for name in named], [name[1] for name in named]))
    for recorded in await cursor.fetchall():
        del named[recorded[0], recorded[1]]
    return list(named.values())


async def _accept(connection: Connection, runs: list[Run], conf: NotificationsConf) -> None:
    """Accept all together; where the database refuses, each alone, so that one harms only itself."""
    submitted = [(run, submission) for run in runs if (submission := _submission(run, conf)) is not None]
    try:
        await _write(connection, submitted, conf)
    except _UNWRITABLE:
        for run, submission in submitted:
            try:
                await _write(connection, [(run, submission)], conf)
            except _UNWRITABLE as error:
                run.refuse(f"The database does not take it: {type(error).__name__}")


def _submission(run: Run, conf: NotificationsConf) -> Submission | None:
    """What is submitted; None where it is not acceptable any more."""
    schedule = run.schedule
    told = {"schedule": schedule.key, "occurrence": texts.format_time(run.occurrence)}
    body = {**schedule.notification, "metadata": {**schedule.notification.get("metadata", {}), **told}}
    try:
        return parse_submission(body, project_id=schedule.project_id, conf=conf, now=schedule.now)
    except Invalid as error:
        run.refuse(_said(error))
        return None


async def _write(connection: Connection, submitted: Sequence[tuple[Run, Submission]], conf: NotificationsConf) -> None:
    requests = [Request(run.schedule.project_id, [submission], _answer) for run, submission in submitted]
    async with connection.transaction():
        outcomes = await write(connection, requests, keep_hours=conf.idempotency_keep_hours)
    for (run, submission), outcome in zip(submitted, outcomes, strict=True):
        if isinstance(outcome, CarillonError):
            run.refuse(_said(outcome))
        else:
            run.notification_id = submission.id


def _answer(faults: dict[int, Invalid]) -> Answer:
    if faults:
        raise faults[0]
    return Answer(202, b"{}")


def _said(error: CarillonError) -> str:
    if isinstance(error, Invalid):
        return " ".join(f"{fault.pointer}: {fault.detail}" for fault in error.faults)
    return error.detail


async def _record(connection: Connection, runs: list[Run]) -> None:
    if not runs:
        return
    rows = [
        (
            ids.new_uuid(),
            run.schedule.id,
            run.occurrence,
            run.outcome,
            run.notification_id,
            run.reason,
            run.passed_over_since,
        )
        for run in runs
    ]
    await connection.execute(_RECORD, [list(column) for column in zip(*rows, strict=True)])

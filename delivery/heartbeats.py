"""Heartbeats: every process says every few seconds that it lives, and notices who has stopped saying so.

The database's clock decides. One statement writes a process's own row, notes whose silence has become too long (each is logged
once, by whoever sees it first) and forgets those that have been silent for an hour. A process that stops as it should deletes its row.
An asynchronous process beats on the event loop it works on, so a loop that hangs is silent too.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import structlog
from django.conf import settings

from delivery.feedback.conf import conf
from notifications import ids
from notifications.database import UNREACHABLE, connect, connection_options

log = structlog.get_logger(__name__)

WEB: Final = "web"
WORKER: Final = "worker"
BEAT: Final = "beat"
BOUNCES: Final = "bounces"
ROLES: Final = (WEB, WORKER, BEAT)
"""Those that every installation has; the listener for bounces is there only where it is configured."""

BEAT_SECONDS: Final = 10.0
SILENT_SECONDS: Final = 45
_FORGET_SECONDS: Final = 3600
_GOODBYE_SECONDS: Final = 2.0
_FAILED: Final = (*UNREACHABLE, psycopg.Error)

_WRITE: Final = f"""
    WITH mine AS (
        INSERT INTO delivery_heartbeat (id, role, host, pid, version)
        VALUES (%(id)s, %(role)s, %(host)s, %(pid)s, %(version)s)
        ON CONFLICT (id) DO UPDATE SET last_seen_at = now(), missed_at = NULL),
    forgotten AS (
        DELETE FROM delivery_heartbeat WHERE id <> %(id)s AND last_seen_at < now() - interval '{_FORGET_SECONDS} seconds')
    UPDATE delivery_heartbeat SET missed_at = now()
     WHERE id IN (SELECT id FROM delivery_heartbeat
                   WHERE id <> %(id)s AND missed_at IS NULL AND last_seen_at < now() - interval '{SILENT_SECONDS} seconds'
                     AND last_seen_at >= now() - interval '{_FORGET_SECONDS} seconds' FOR UPDATE SKIP LOCKED)
    RETURNING role, host, pid, extract(epoch FROM now() - last_seen_at)::int"""  # noqa: S608 - composed of our own text
_GOODBYE: Final = "DELETE FROM delivery_heartbeat WHERE id = %(id)s"
READ: Final = f"""
    SELECT role, count(*) FILTER (WHERE last_seen_at >= now() - interval '{SILENT_SECONDS} seconds'),
           count(*) FILTER (WHERE last_seen_at < now() - interval '{SILENT_SECONDS} seconds'),
           extract(epoch FROM now() - max(last_seen_at))::float8
      FROM delivery_heartbeat GROUP BY role"""  # noqa: S608 - composed of our own text


@dataclass(frozen=True, slots=True)
class Pulse:
    """The processes of one role: alive, silent for too long, and the seconds since any was seen (None: never)."""

    alive: int = 0
    silent: int = 0
    seen_seconds_ago: float | None = None


def read_pulses(rows: Iterable[tuple[Any, ...]]) -> dict[str, Pulse]:
    """The rows of `READ`, every configured role included."""
    found = {role: Pulse(alive, silent, ago) for role, alive, silent, ago in rows}
    roles = (*ROLES, BOUNCES) if conf().listen is not None else ROLES
    return {role: found.get(role, Pulse()) for role in roles}


def missing(pulses: Mapping[str, Pulse]) -> dict[str, str]:
    """The roles without which work stands still or goes slower, each with a sentence about it. Pure."""
    said = {}
    for role, name in ((WORKER, "worker"), (BEAT, "Beat"), (BOUNCES, "listener for bounces")):
        pulse = pulses.get(role)
        if pulse is not None and not pulse.alive:
            ago = f" for {pulse.seen_seconds_ago:.0f} s" if pulse.seen_seconds_ago is not None else ""
            said[role] = f"No {name} seen{ago}."
    return said


class Heart:
    """The heartbeat of this process: `start` it on the loop it works on, or call `beat` from a process without one."""

    def __init__(self, role: str) -> None:
        self._row = {
            "id": ids.new_uuid(),
            "role": role,
            "host": socket.gethostname()[:255],
            "pid": os.getpid(),
            "version": settings.CARILLON_VERSION,
        }
        self._due = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to beat on the running loop."""
        self._task = asyncio.create_task(self._run(), name="heart")

    async def stop(self) -> None:
        """Say goodbye, without insisting."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(*_FAILED):
            async with asyncio.timeout(_GOODBYE_SECONDS), await connect() as connection:
                await connection.execute(_GOODBYE, self._row)

    def beat(self) -> None:
        """Beat now if it is time; for synchronous processes, who call this often."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + BEAT_SECONDS
        self._execute(_WRITE)

    def end(self) -> None:
        """Say goodbye; the synchronous twin of `stop`."""
        self._execute(_GOODBYE)

    def _execute(self, sql: str) -> None:
        options = {**connection_options(), "connect_timeout": 2}
        try:
            with psycopg.connect(**options, autocommit=True) as connection:
                cursor = connection.execute(sql, self._row)
                _say(cursor.fetchall() if cursor.description else [])
        except _FAILED as error:
            log.debug("heartbeat_failed", error=type(error).__name__)

    async def _run(self) -> None:
        while True:
            try:
                async with await connect() as connection:
                    _say(await (await connection.execute(_WRITE, self._row)).fetchall())
            except _FAILED as error:
                log.debug("heartbeat_failed", error=type(error).__name__)
            await asyncio.sleep(BEAT_SECONDS)


def _say(silent: Iterable[tuple[Any, ...]]) -> None:
    for role, host, pid, seconds in silent:
        log.warning("process_silent", role=role, host=host, pid=pid, seconds=seconds)

"""Keeps a worker's providers as the database has them, and tells the database how they are.

One small query every few seconds reads all of them, so a change made in the admin is in force everywhere soon after,
and no message costs a query. Health is written when it changes; of two processes that disagree the later one
is believed, by `health_version`.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from delivery.provider_secrets import open_secrets
from delivery.transports.health import AUTHENTICATION_REFUSED, HealthReport, News
from delivery.transports.providers import ProviderConfig, ProviderSet
from notifications.database import UNREACHABLE, Pool
from notifications.sealing import SealBroken

Connection = AsyncConnection[TupleRow]
log = structlog.get_logger(__name__)

UNUSABLE: Final = "cannot_be_used"

_READ: Final = """
    SELECT id, project_id, channel, kind, origin, name, position, enabled, settings, sealed_secrets, state, reason,
           greatest(0, coalesce(extract(epoch FROM paused_until - now()), 0))::float8 AS pause_seconds,
           consecutive_failures, health_version
      FROM delivery_provider"""
_ADD: Final = """
    INSERT INTO delivery_provider (id, channel, kind, origin, name, position, settings)
    VALUES (%s, %s, %s, 'environment', %s, %s, %s::jsonb) ON CONFLICT (id) DO NOTHING"""
_CHANGE: Final = """
    UPDATE delivery_provider
       SET state = CASE WHEN %(paused)s THEN 'paused' ELSE 'healthy' END, reason = %(reason)s,
           paused_until = CASE WHEN %(paused)s THEN now() + make_interval(secs => %(seconds)s) END,
           consecutive_failures = %(failures)s, health_version = health_version + 1,
           last_success_at = CASE WHEN %(paused)s THEN last_success_at ELSE now() END,
           last_failure_at = CASE WHEN %(paused)s THEN now() ELSE last_failure_at END
     WHERE id = %(id)s RETURNING health_version"""
_PROVEN: Final = "UPDATE delivery_provider SET last_success_at = now() WHERE id = %(id)s AND state = 'healthy'"


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    project_id: UUID | None
    channel: str
    kind: str
    origin: str
    name: str
    position: int
    enabled: bool
    settings: dict[str, Any]
    sealed_secrets: str
    state: str
    reason: str
    pause_seconds: float
    consecutive_failures: int
    health_version: int

    @property
    def report(self) -> HealthReport:
        return HealthReport(self.state == "paused", self.reason, self.pause_seconds, self.consecutive_failures)


@dataclass(frozen=True, slots=True)
class _Change:
    news: News
    report: HealthReport
    at: float


class ProviderWatch:
    """Nothing is sent through `sets` (by channel) before the first look succeeded. `on_usable` hears of channels
    that can send again."""

    def __init__(
        self,
        pool: Pool,
        sets: Mapping[str, ProviderSet[Any]],
        *,
        every_seconds: float,
        on_usable: Callable[[str], None],
    ) -> None:
        self._pool = pool
        self._sets = sets
        self._every_seconds = every_seconds
        self._on_usable = on_usable
        self._known = False
        self._seen: dict[UUID, int] = {}
        self._complained: dict[UUID, str] = {}
        self._changes: dict[UUID, _Change] = {}
        self._changed = asyncio.Event()
        for channel, providers in sets.items():
            providers.hold()
            providers.on_change = self._listener(channel)

    async def run(self) -> None:
        """Look again and again, and at once when something changed here."""
        while True:
            self._changed.clear()
            try:
                await self.look()
            except UNREACHABLE:
                log.warning("providers_database_unreachable")
                await asyncio.sleep(self._every_seconds)
            except Exception:
                log.exception("providers_failed")
                await asyncio.sleep(self._every_seconds)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_seconds):
                    await self._changed.wait()

    async def look(self) -> None:
        """One look: write what is new here, read what is new there."""
        async with self._pool.connection() as connection:
            rows = await self._read(connection)
            for channel, providers in self._sets.items():
                for config in providers.standing:
                    if config.id not in rows:
                        values = (config.id, channel, config.kind, config.name[:100], config.position)
                        shown = dict(config.settings) | ({"want_of_better": True} if config.want_of_better else {})
                        await connection.execute(_ADD, (*values, json.dumps(shown)))
            unusable = self._configure(rows)
            await self._note_unusable(connection, rows, unusable)
            await self._write(connection)
        self._adopt(rows)
        if not self._known:
            self._known = True
            for channel in self._sets:
                self._on_usable(channel)

    async def _read(self, connection: Connection) -> dict[UUID, _Row]:
        async with connection.cursor(row_factory=class_row(_Row)) as cursor:
            await cursor.execute(_READ, prepare=True)
            return {row.id: row for row in await cursor.fetchall()}

    def _configure(self, rows: Mapping[UUID, _Row]) -> dict[UUID, str]:
        unusable: dict[UUID, str] = {}
        for channel, providers in self._sets.items():
            configs = list(providers.standing)
            for row in rows.values():
                if row.channel == channel and row.enabled and row.origin == "admin":
                    try:
                        configs.append(_config(row))
                    except ValueError as exc:
                        unusable[row.id] = str(exc)
            unusable |= providers.configure(configs)
        return unusable

    async def _note_unusable(
        self, connection: Connection, rows: Mapping[UUID, _Row], unusable: Mapping[UUID, str]
    ) -> None:
        for provider_id, why in unusable.items():
            if self._complained.get(provider_id) != why:
                log.error("provider_cannot_be_used", provider=rows[provider_id].name, why=why)
            if rows[provider_id].reason != UNUSABLE:
                await self._tell(connection, provider_id, HealthReport(True, UNUSABLE, 0.0, 0))
        self._complained = dict(unusable)
        for row in rows.values():
            if row.reason == UNUSABLE and row.channel in self._sets and row.id not in unusable:
                await self._tell(connection, row.id, HealthReport(False, "", 0.0, 0))

    async def _write(self, connection: Connection) -> None:
        for provider_id, change in list(self._changes.items()):
            if change.news is News.PROVEN:
                await connection.execute(_PROVEN, {"id": provider_id})
            else:
                left = change.report.pause_seconds - (time.monotonic() - change.at)
                await self._tell(connection, provider_id, replace(change.report, pause_seconds=max(0.0, left)))
            if self._changes.get(provider_id) is change:
                del self._changes[provider_id]

    async def _tell(self, connection: Connection, provider_id: UUID, report: HealthReport) -> None:
        values = {
            "id": provider_id,
            "paused": report.paused,
            "reason": report.reason[:64],
            "seconds": report.pause_seconds,
            "failures": report.failures,
        }
        cursor = await connection.execute(_CHANGE, values)
        if row := await cursor.fetchone():
            self._seen[provider_id] = row[0]

    def _adopt(self, rows: Mapping[UUID, _Row]) -> None:
        for row in rows.values():
            seen = self._seen.get(row.id)
            if (seen is None or seen < row.health_version) and row.id not in self._changes:
                self._seen[row.id] = row.health_version
                if (seen is not None or row.report.paused) and row.reason != UNUSABLE and row.channel in self._sets:
                    self._sets[row.channel].adopt(row.id, row.report)
                    if not row.report.paused:
                        self._on_usable(row.channel)

    def _listener(self, channel: str) -> Callable[[ProviderConfig, News, HealthReport], None]:
        def changed(config: ProviderConfig, news: News, report: HealthReport) -> None:
            if news is not News.PROVEN or config.id not in self._changes:
                self._changes[config.id] = _Change(news, report, time.monotonic())
            self._changed.set()
            if news is News.PAUSED:
                # A refused login does not mend itself: somebody has to act.
                say = log.error if report.reason == AUTHENTICATION_REFUSED else log.warning
                seconds = round(report.pause_seconds)
                say("provider_paused", provider=config.name, channel=channel, reason=report.reason, seconds=seconds)
            elif news is News.RECOVERED:
                log.info("provider_recovered", provider=config.name, channel=channel)
                self._on_usable(channel)

        return changed


def _config(row: _Row) -> ProviderConfig:
    try:
        secrets = open_secrets(row.sealed_secrets)
    except SealBroken:
        raise ValueError("no configured key opens its secrets") from None
    return ProviderConfig(
        id=row.id,
        kind=row.kind,
        name=row.name,
        settings=row.settings,
        secrets=secrets,
        project_id=row.project_id,
        position=row.position,
    )

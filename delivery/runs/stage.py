"""The stage of runs: those whose time has come are locked, walked and put down again, in one transaction per batch.

There is no network in a walk, so no lease is needed; a crash leaves everything as it was. A batch that fails is walked run by run, so
that a run harms only itself: one that nobody can walk ends as `failed`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.due import Round
from delivery.routing import Target
from delivery.rules import read_rules
from delivery.runs import collecting, rows
from delivery.runs.advancing import advance
from delivery.runs.saying import say
from delivery.runs.walker import Walker
from delivery.targets import targets_of
from notifications import ids
from notifications.database import UNREACHABLE

Connection = AsyncConnection[TupleRow]
log = structlog.get_logger(__name__)
_round = Round()

_REFUSED: Final = "refused_by_database"
_BROKEN: Final = "internal_error"


async def walk_due(connection: Connection, *, limit: int) -> tuple[int, set[str]]:
    """Walk up to `limit` due runs: how many there were, and which channels got work."""
    try:
        async with connection.transaction():
            due = await rows.lock_due(connection, limit=limit, after=_round.after)
            _round.end(row.project_id for row in due)
            return len(due), await _walk(connection, due)
    except UNREACHABLE:
        raise
    except Exception:
        log.exception("runs_failed_together")
        return await _walk_singly(connection, limit=limit)


async def _walk_singly(connection: Connection, *, limit: int) -> tuple[int, set[str]]:
    count, channels = 0, set[str]()
    for run_id in await rows.find_due(connection, limit=limit, after=_round.after):
        count += 1
        try:
            async with connection.transaction():
                channels |= await _walk(connection, await rows.lock_one(connection, run_id))
        except UNREACHABLE:
            raise
        except Exception as error:
            reason = _REFUSED if isinstance(error, psycopg.DataError | psycopg.IntegrityError) else _BROKEN
            log.exception("run_failed", run=ids.encode("run", run_id))
            await rows.end_badly(connection, run_id, reason)
    return count, channels


async def _walk(connection: Connection, due: Sequence[rows.Row]) -> set[str]:
    if not due:
        return set()
    rules = await read_rules(connection, {row.project_id for row in due})
    now = rules[due[0].project_id].now
    walkers = await _walkers(connection, due, now)
    return await say(connection, await advance(connection, walkers, rules, now), rules, now)


async def _walkers(connection: Connection, due: Sequence[rows.Row], now: datetime) -> list[Walker]:
    versions = await rows.versions_of(connection, (row.version_id for row in due))
    targets = await targets_of(connection, [row.recipient_id for row in due])
    events = await rows.events_of(connection, (row.notification_id for row in due if row.digest_id is None))
    walkers = []
    for row in due:
        target = targets.get(row.recipient_id)
        walker = Walker(
            run_id=row.id,
            project_id=row.project_id,
            stored=True,
            version=versions[row.version_id],
            target=target or Target(row.recipient_id, "", None),
            events=[events[row.notification_id]] if row.notification_id in events else [],
            opener_id=row.notification_id,
            critical=row.critical,
            expires_at=row.expires_at,
            position=row.position,
            digest_id=row.digest_id,
            memory=row.memory,
            log=row.log,
            said=True,
        )
        if target is None:
            walker.end(reason="recipient_erased")
        elif row.expired:
            walker.end(reason="expires_at_passed")
        elif row.digest_id is None and not walker.events:
            walker.end(reason="notification_erased")
        walkers.append(walker)
    later = [w for w in walkers if w.digest_id and not w.rests and not _collects(w)]
    await collecting.take_up(connection, later, now)
    for walker in later:
        if not walker.events:
            walker.end(reason="digest_empty")
    return walkers


def _collects(walker: Walker) -> bool:
    return "collects" in walker.memory

"""The routing stage: accepted notifications are claimed and become deliveries.

Explicit recipients of a whole batch of notifications are resolved with a handful of statements. Topics are walked in chunks in
the order of their members, each chunk with the cursor that follows it in one transaction, so a crash repeats at most
the work of one chunk and `delivery_once` makes that harmless. After some chunks a large notification goes back to
the queue, so others get their turn.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery import metrics
from delivery.conf import DeliveryConf
from delivery.due import Round, due_rows
from delivery.inserting import insert_deliveries
from delivery.planning import Asked, plan
from delivery.routing import EMAIL, Target
from delivery.rules import read_rules
from delivery.runs.beginning import begin
from delivery.runs.rows import versions_of
from delivery.status_events.recording import NOTIFICATION_COLUMNS, notification_facts, recording
from delivery.suppressing import mark_targets
from delivery.targets import find_targets, page_of_topic
from notifications import ids
from notifications.preferences.shapes import Policy

Connection = AsyncConnection[TupleRow]
log = structlog.get_logger(__name__)
_round = Round()

_REFUSED: Final = (psycopg.DataError, psycopg.IntegrityError)

_CLAIM: Final = f"""
    WITH {due_rows("notifications_notification")},
    judged AS (
        SELECT due.id, due.n, CASE WHEN o.expires_at <= now() THEN 'expired' WHEN o.claims >= %(max_claims)s THEN 'failed'
                                   ELSE 'accepted' END AS status
          FROM due JOIN notifications_notification o USING (id)),
    claimed AS (
        UPDATE notifications_notification o
           SET status = j.status,
               reason = CASE j.status WHEN 'expired' THEN 'expires_at_passed' WHEN 'failed' THEN 'poison' ELSE '' END,
               available_at = CASE j.status WHEN 'accepted' THEN now() + make_interval(secs => %(lease)s) END,
               lease_token = CASE j.status WHEN 'accepted' THEN (%(tokens)s::uuid[])[j.n] END,
               claims = o.claims + 1
          FROM judged j WHERE o.id = j.id
        RETURNING o.lease_token, o.recipients, o.channels, o.category, o.critical, o.expires_at, o.route_cursor, o.workflow,
                  o.workflow_version_id, o.quiet_hours, {NOTIFICATION_COLUMNS}),
    {recording(notification_facts("claimed"))}
    SELECT id, lease_token, project_id, recipients, channels, category, critical, expires_at, route_cursor, workflow,
           workflow_version_id, quiet_hours, status FROM claimed"""  # noqa: S608 - composed of our own text
_ROUTED: Final = f"""
    WITH routed AS (
        UPDATE notifications_notification o SET status = 'routed', routed_at = now(), available_at = NULL, lease_token = NULL,
               claims = 0, route_cursor = NULL
          FROM unnest(%s::uuid[], %s::uuid[]) AS g (id, token) WHERE o.id = g.id AND o.lease_token = g.token
        RETURNING {NOTIFICATION_COLUMNS}),
    {recording(notification_facts("routed"))}
    SELECT id FROM routed"""  # noqa: S608 - composed of our own text
_PROGRESS: Final = """
    UPDATE notifications_notification SET route_cursor = %(cursor)s::jsonb, claims = 0,
           available_at = now() + make_interval(secs => %(lease)s),
           lease_token = CASE WHEN %(lease)s > 0 THEN lease_token END
     WHERE id = %(id)s AND lease_token = %(token)s RETURNING id"""


@dataclass(frozen=True, slots=True)
class Routing:
    """One claimed notification, as far as routing is concerned."""

    id: UUID
    token: UUID
    project_id: UUID
    recipients: list[Any]
    channels: list[str]
    category: str | None
    critical: bool
    expires_at: datetime | None
    cursor: dict[str, Any] | None
    workflow: str | None
    version_id: UUID | None
    policy: Policy | None = None
    """What becomes of it in quiet hours, where the request said so."""

    @property
    def names(self) -> list[str]:
        """The recipients named one by one."""
        return [entry for entry in self.recipients if isinstance(entry, str)]

    @property
    def topics(self) -> list[str]:
        return [entry["topic"] for entry in self.recipients if not isinstance(entry, str)]


async def route(connection: Connection, conf: DeliveryConf, on_work: Callable[[set[str]], None]) -> int:
    """Route one batch: how many notifications were claimed. `on_work` hears of channels that got work, after each commit."""
    seen, claimed = await claim_accepted(connection, conf)
    await route_claimed(connection, claimed, conf, on_work)
    return seen


async def claim_accepted(connection: Connection, conf: DeliveryConf) -> tuple[int, list[Routing]]:
    """Take one batch under a lease: how many rows were looked at, and those to route."""
    cursor = await connection.execute(
        _CLAIM,
        {
            "limit": conf.route_batch,
            "lease": conf.lease_seconds,
            "max_claims": conf.max_claims,
            "after": _round.after,
            "tokens": [ids.new_uuid() for _ in range(conf.route_batch)],
        },
        prepare=True,
    )
    rows = await cursor.fetchall()
    claimed = [Routing(*row[:-1]) for row in rows if row[-1] == "accepted"]
    _round.end(item.project_id for item in claimed if not item.critical)
    return len(rows), claimed


async def route_claimed(
    connection: Connection, claimed: list[Routing], conf: DeliveryConf, on_work: Callable[[set[str]], None]
) -> None:
    """Make deliveries of what was claimed."""
    small = [item for item in claimed if not item.topics]
    if small:
        on_work(await _route_small(connection, small))
    for item in sorted(claimed, key=lambda item: not item.critical):
        if item.topics:
            try:
                await _route_topics(connection, item, conf, on_work)
            except _REFUSED:
                _note_refused(item)
    metrics.ROUTED.inc(len(claimed))


async def _route_small(connection: Connection, items: list[Routing]) -> set[str]:
    """All notifications without topics together; if one makes the database refuse, each alone, so it harms only itself."""
    try:
        return await _route_together(connection, items)
    except _REFUSED:
        if len(items) == 1:
            _note_refused(items[0])
            return set()
        return set().union(*[await _route_small(connection, [item]) for item in items])


async def _route_together(connection: Connection, items: list[Routing]) -> set[str]:
    async with connection.transaction():
        mine = await _finish(connection, items)
        kept = [item for item in items if item.id in mine]
        targets = await find_targets(connection, [(item.project_id, name) for item in kept for name in item.names])
        if any(EMAIL in item.channels and item.version_id is None for item in kept):
            marked = await mark_targets(connection, [(name[0], target) for name, target in targets.items()])
            targets = dict(zip(targets, marked, strict=True))
        return await _reach(
            connection,
            [
                (item, target)
                for item in kept
                for name in dict.fromkeys(item.names)
                if (target := targets.get((item.project_id, name)))  # None: erased this very moment
            ],
        )


async def _route_topics(
    connection: Connection, item: Routing, conf: DeliveryConf, on_work: Callable[[set[str]], None]
) -> None:
    """The next chunk of one large notification; with its last goes who was named one by one."""
    position = item.cursor or {"entry": 0, "after": None}
    if position["entry"] < len(item.topics):
        async with connection.transaction():
            page, position = await _next_page(connection, item, position, conf.route_chunk)
            ends = position["entry"] >= len(item.topics)
            # Others wait for no more than this chunk: what is not at its end goes back to the queue.
            if not await _keep(connection, item, position, conf.lease_seconds if ends else 0.0):
                return
            if EMAIL in item.channels and item.version_id is None:
                page = await mark_targets(connection, [(item.project_id, target) for target in page])
            channels = await _reach(connection, [(item, target) for target in page])
        on_work(channels)
        if not ends:
            return
    on_work(await _route_small(connection, [item]))


async def _next_page(
    connection: Connection, item: Routing, position: dict[str, Any], limit: int
) -> tuple[list[Target], dict[str, Any]]:
    """Members of the topic that `position` is in, and the position behind them."""
    entry, after = position["entry"], position["after"]
    channels: Iterable[str] = item.channels
    if item.version_id is not None:
        channels = (await versions_of(connection, [item.version_id]))[item.version_id].definition.channels
    page = await page_of_topic(
        connection, item.project_id, item.topics[entry], after and UUID(after), limit=limit, channels=channels
    )
    if len(page) < limit:
        return page, {"entry": entry + 1, "after": None}
    return page, {"entry": entry, "after": page[-1].recipient_id.hex}


def _note_refused(item: Routing) -> None:
    """It keeps its lease, is tried again when that ends, and is poison after some claims."""
    log.exception("routing_refused_by_database", notification=ids.encode("ntf", item.id))


async def _keep(connection: Connection, item: Routing, position: dict[str, Any], lease: float) -> bool:
    """Store how far the expansion has come, with a fresh lease, or give the rest back (0); False when fenced off."""
    values = {"cursor": json.dumps(position), "lease": lease, "id": item.id, "token": item.token}
    cursor = await connection.execute(_PROGRESS, values)
    return await cursor.fetchone() is not None


async def _finish(connection: Connection, items: list[Routing]) -> set[UUID]:
    """Mark as routed, fenced; which of them are still ours."""
    ordered = sorted(items, key=lambda item: item.id)
    cursor = await connection.execute(_ROUTED, ([i.id for i in ordered], [i.token for i in ordered]), prepare=True)
    return {row[0] for row in await cursor.fetchall()}


async def _reach(connection: Connection, pairs: list[tuple[Routing, Target]]) -> set[str]:
    """Plain notifications become deliveries, those of workflows begin to walk; which channels got work."""
    asked = [
        Asked(
            project_id=item.project_id,
            notification_id=item.id,
            target=target,
            channels=item.channels,
            category=item.category,
            critical=item.critical,
            expires_at=item.expires_at,
            workflow=item.workflow,
            policy=item.policy,
        )
        for item, target in pairs
        if item.version_id is None
    ]
    channels = set[str]()
    if asked:
        rules = await read_rules(connection, {each.project_id for each in asked})
        planned = await plan(connection, asked, rules)
        channels = await insert_deliveries(connection, planned, rules[asked[0].project_id].now)
    return channels | await begin(connection, [pair for pair in pairs if pair[0].version_id is not None])

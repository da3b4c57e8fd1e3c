"""What conditions and keys may ask about: read for whole batches, and only what the steps at hand need."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.runs.walker import Walker
from notifications.inbox.presence import read_presence
from notifications.texts import format_time, optional_time

Connection = AsyncConnection[TupleRow]

_PEOPLE: Final = """
    SELECT id, external_id, name, email, phone, locale, timezone, data FROM notifications_recipient WHERE id = ANY(%s)"""
_NAMES: Final = """
    SELECT r.project_id, r.external_id, r.name FROM notifications_recipient r
      JOIN unnest(%s::uuid[], %s::text[]) AS g (project_id, external_id) USING (project_id, external_id)"""
_STEPS: Final = """
    SELECT d.notification_id, d.recipient_id, split_part(d.step, '#', 1), d.state, m.seen_at IS NOT NULL, m.read_at IS NOT NULL
      FROM (SELECT DISTINCT * FROM unnest(%s::uuid[], %s::uuid[])) AS g (notification_id, recipient_id)
      JOIN delivery_delivery d USING (notification_id, recipient_id)
      LEFT JOIN notifications_inboxmessage m ON m.delivery_id = d.id
     WHERE d.step IS NOT NULL"""
_LAST_SEEN: Final = "SELECT recipient_id, last_seen_at FROM notifications_inbox WHERE recipient_id = ANY(%s)"
_REST_SECONDS: Final = 5.0
_WENT_OUT: Final = frozenset({"sent", "delivered"})


class _Outage:
    """While Redis does not answer, walks do not hold their rows for it each time."""

    ends_at = 0.0


async def people_of(connection: Connection, recipient_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """Recipients as templates and conditions see them; who was erased is missing."""
    wanted = list(set(recipient_ids))
    if not wanted:
        return {}
    cursor = await connection.execute(_PEOPLE, (wanted,), prepare=True)
    names = ("id", "name", "email", "phone", "locale", "timezone", "data")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in await cursor.fetchall()}


async def actors_of(
    connection: Connection, wanted: Iterable[tuple[UUID, str | None]]
) -> dict[tuple[UUID, str], dict[str, Any]]:
    """Who did it, by project and id: with the name where the recipient is known by one."""
    asked = sorted({(project_id, actor) for project_id, actor in wanted if actor})
    found: dict[tuple[UUID, str], dict[str, Any]] = {(p, a): {"id": a, "name": a} for p, a in asked}
    if asked:
        cursor = await connection.execute(_NAMES, ([p for p, _ in asked], [a for _, a in asked]), prepare=True)
        for project_id, external_id, name in await cursor.fetchall():
            found[project_id, external_id] = {"id": external_id, "name": name or external_id}
    return found


async def load_facts(connection: Connection, walkers: Sequence[Walker]) -> None:
    """Give every walker what does not change while it walks: `data`, `recipient`, `actor`, `category`, `workflow`."""
    speaking = [walker for walker in walkers if walker.events]  # others have a digest to close first
    events = {walker.event.id: walker.event for walker in speaking}
    actors = await actors_of(connection, ((event.project_id, event.actor) for event in events.values()))
    for walker in speaking:
        event = walker.event
        walker.facts = {
            "data": event.data,
            "recipient": walker.target.person,
            "actor": actors[event.project_id, event.actor] if event.actor else None,
            "category": event.category,
            "workflow": walker.version.facts,
        }


async def refresh_facts(connection: Connection, walkers: Sequence[Walker]) -> None:
    """Give those whose next step asks for them `steps` and `presence` of this moment."""
    if asking := [walker for walker in walkers if walker.reads("presence")]:
        await _load_presence(connection, asking)
    if asking := [walker for walker in walkers if walker.reads("steps")]:
        await load_steps(connection, asking)


async def load_steps(connection: Connection, walkers: Sequence[Walker]) -> None:
    """`steps`: what became of the deliveries of earlier steps. Of a digest's events taken together: seen and read are all of
    them, sent and delivered is any."""
    asked = [(event.id, walker.target.recipient_id) for walker in walkers for event in walker.events]
    cursor = await connection.execute(_STEPS, ([n for n, _ in asked], [r for _, r in asked]), prepare=True)
    found: dict[tuple[UUID, UUID], list[tuple[str, str, bool, bool]]] = defaultdict(list)
    for notification_id, recipient_id, step, state, seen, read in await cursor.fetchall():
        found[notification_id, recipient_id].append((step, state, seen, read))
    for walker in walkers:
        rows = [row for event in walker.events for row in found[event.id, walker.target.recipient_id]]
        walker.facts["steps"] = _steps(walker, rows)


def _steps(walker: Walker, rows: list[tuple[str, str, bool, bool]]) -> dict[str, dict[str, Any]]:
    skipped = {entry["step"] for entry in walker.log if entry["code"] == "skipped"}
    acknowledged = any(event.acknowledged_at is not None for event in walker.events)
    facts = {}
    for step in walker.version.definition.steps:
        own = [row for row in rows if row[0] == step.key]
        states = {state for _, state, _, _ in own}
        facts[step.key] = {
            "state": own[-1][1] if own else None,
            "sent": bool(states & _WENT_OUT),
            "delivered": "delivered" in states,
            "seen": bool(own) and all(seen or read for _, _, seen, read in own),
            "read": bool(own) and all(read for _, _, _, read in own),
            "skipped": step.key in skipped,
            "acknowledged": acknowledged,
        }
    return facts


async def _load_presence(connection: Connection, walkers: Sequence[Walker]) -> None:
    wanted = list({w.target.recipient_id for w in walkers})
    present = None
    if time.monotonic() >= _Outage.ends_at:
        present = await read_presence(wanted)
        if present is None:
            _Outage.ends_at = time.monotonic() + _REST_SECONDS
    cursor = await connection.execute(_LAST_SEEN, (wanted,), prepare=True)
    seen: dict[UUID, datetime | None] = dict(await cursor.fetchall())
    for walker in walkers:
        recipient_id = walker.target.recipient_id
        known = present.get(recipient_id) if present is not None else None
        since = known.connected_since if known else None
        walker.facts["presence"] = {
            "online": known.online if known else False,
            "devices": known.devices if known else 0,
            "connected_since": format_time(since) if since else None,
            "last_seen_at": optional_time(seen.get(recipient_id)),
        }

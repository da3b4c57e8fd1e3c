"""What the steps of a round want from others: digests joined and closed, people of an escalation looked up. Whole batches at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.runs import rows
from delivery.runs.facts import load_facts
from delivery.runs.steps import Collection, Round, allows
from delivery.runs.walker import Event, Send, Walker
from delivery.targets import Name, find_targets
from notifications.workflows.definition import DigestStep
from schedules import digests
from schedules.windows import closes_at

Connection = AsyncConnection[TupleRow]

_SOON: Final = timedelta(seconds=1)
_CALLED: Final = """
    SELECT v.id, step ->> 'key', step -> 'to'
      FROM (SELECT id, definition FROM notifications_workflowversion WHERE id = ANY(%s) ORDER BY id FOR SHARE SKIP LOCKED) AS v,
           jsonb_array_elements(v.definition -> 'steps') AS step WHERE step ->> 'type' = 'escalate'"""


async def settle(connection: Connection, round_: Round, now: datetime) -> list[Walker]:
    """Settle what the round left open; the walks of digests that were opened."""
    await _climb(connection, round_)
    if round_.closing:
        await _close(connection, round_.closing, now)
    return await _collect(connection, round_.collected, now) if round_.collected else []


async def _collect(
    connection: Connection, collected: Sequence[tuple[Walker, Collection]], now: datetime
) -> list[Walker]:
    """Every event joins its digest; a walker's own way ends there."""
    pairs = [(walker, entry) for walker, wish in collected for entry in _entries(walker, wish, now)]
    made: list[Walker] = []
    full: list[UUID] = []
    passing: set[int] = set()
    for (walker, _), joined in zip(pairs, await digests.join(connection, [e for _, e in pairs]), strict=True):
        if joined is None:
            continue
        if joined.opened:
            made.append(rows.digest_run(walker, joined.digest_id, joined.closes_at))
        elif joined.closes_at <= now:
            full.append(joined.digest_id)
        if joined.passes:
            passing.add(id(walker))
    await rows.wake_digests(connection, full)
    for walker, _ in collected:
        if id(walker) in passing:
            walker.note("first_at_once", now)
            walker.go_on()
        else:
            walker.said = True
            walker.end(reason="digested")
    return made


def _entries(walker: Walker, wish: Collection, now: datetime) -> list[digests.Entry]:
    window = wish.window
    end = wish.closes_at
    if window is not None:
        timezone = walker.facts["recipient"].get("timezone") or wish.timezone
        end = closes_at(window, opened_at=now, latest_at=now, timezone=timezone)
    assert end is not None
    return [
        digests.Entry(
            place=digests.Place(walker.target.recipient_id, walker.version.workflow_id, wish.step, wish.key),
            project_id=event.project_id,
            notification_id=event.id,
            closes_at=end,
            max_items=wish.max_items,
            slide=window.sliding_seconds if window else None,
            longest=window.max_seconds if window else None,
            first_at_once=wish.first_at_once,
        )
        for event in walker.events
    ]


async def _close(connection: Connection, walkers: Sequence[Walker], now: datetime) -> None:
    """Digests whose time has come are closed, and their walks go on with what is in them."""
    by_digest = {walker.digest_id: walker for walker in walkers if walker.digest_id is not None}
    closed = await digests.close(connection, list(by_digest))
    for digest_id, walker in by_digest.items():
        if (later := closed.get(digest_id)) is not None:
            walker.wait(later)
    going = [walker for walker in by_digest.values() if not walker.rests]
    await take_up(connection, going, now)
    for walker in going:
        if not walker.events:
            walker.note("digest_empty", now)
            walker.end(reason="digest_empty")
            continue
        walker.note("digest_closed", now, items=len(walker.events))
        if isinstance(walker.step, DigestStep):
            walker.go_on()
        else:  # quiet hours are over: it is said now, and collected no more
            walker.memory = {"after_quiet": True}


async def take_up(connection: Connection, walkers: Sequence[Walker], now: datetime) -> None:
    """Give walks of digests the events that are in them by now, those that expired excepted."""
    ids = [walker.digest_id for walker in walkers if walker.digest_id is not None]
    items = await digests.items_of(connection, ids)
    events = await rows.events_of(connection, (n for names in items.values() for n in names))
    over: list[UUID] = []
    for walker in walkers:
        assert walker.digest_id is not None
        found = [events[n] for n in items[walker.digest_id] if n in events]
        over += [event.id for event in found if _expired(event, now)]
        walker.events = [event for event in found if not _expired(event, now)]
        walker.critical = any(event.critical for event in walker.events)
    if over:
        await digests.remove(connection, ids, over, reason="expires_at_passed")
    await load_facts(connection, [walker for walker in walkers if walker.events])


def _expired(event: Event, now: datetime) -> bool:
    return event.expires_at is not None and event.expires_at <= now


async def _climb(connection: Connection, round_: Round) -> None:
    """Tell the next people of escalations; who is not known yet is made, bare."""
    if not round_.climbing:
        return
    called = await _called(connection, {walker.version.id for walker, _ in round_.climbing})
    names: dict[int, Name] = {}
    for walker, step in round_.climbing:
        if people := called.get((walker.version.id, step.key)):
            names[id(walker)] = (walker.project_id, people[min(walker.memory["told"], len(people)) - 1])
    targets = await find_targets(connection, list(names.values()))
    for walker, step in round_.climbing:
        told, name = walker.memory["told"], names.get(id(walker))
        if (walker.version.id, step.key) not in called:
            walker.memory = {"told": told - 1}
            walker.wait(round_.now + _SOON)
            continue
        if name is None:
            walker.note("nobody_to_call", round_.now, round=told)
            continue
        detail: dict[str, Any] = {"round": told, "to": name[1]}
        walker.note("escalated", round_.now, **detail)
        if (target := targets.get(name)) is not None:
            label = f"{step.key}#{told}"
            round_.sends += [
                (walker, Send(label, channel, target)) for channel in step.channels if allows(walker, channel)
            ]


async def _called(connection: Connection, version_ids: set[UUID]) -> dict[tuple[UUID, str], list[str]]:
    """Whom each step calls, as it stands now: who was erased since the version was learnt is in it no more.

    Shared with others who call; whoever is about to erase one of them waits, and erases what is made here as well. A version out of
    which somebody is just being erased is left out: to wait for it, with runs in hand that the other wants, would be for ever.
    """
    cursor = await connection.execute(_CALLED, (list(version_ids),), prepare=True)
    return {(version_id, key): people for version_id, key, people in await cursor.fetchall()}

"""Walking: every walker of a batch goes step by step until it rests; what steps need from the database is asked for all at once.

A round takes each walker one step further. Steps that only decide (`delivery/runs/steps.py`) do so at once; those that take a place
or join a digest are settled together at the end of the round. Everything happens in the caller's transaction, so a walk is
made whole or not at all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.rules import Rules
from delivery.runs import collecting, rows, steps
from delivery.runs.facts import load_facts, load_steps, refresh_facts
from delivery.runs.walker import Send, Walker
from notifications.workflows.definition import FallbackStep
from schedules.slots import take_slots

Connection = AsyncConnection[TupleRow]

Said = tuple[Walker, Send]


async def advance(
    connection: Connection, walkers: Sequence[Walker], rules: Mapping[UUID, Rules], now: datetime
) -> list[Said]:
    """Walk until everybody rests, and store where: what is to be said, in order. `now` is the transaction's."""
    said: list[Said] = []
    made: list[Walker] = []
    await load_facts(connection, walkers)
    moving = [walker for walker in walkers if not walker.rests]
    while moving:
        await refresh_facts(connection, moving)
        await _look_at_fallbacks(connection, moving)
        round_ = steps.Round(now, rules)
        for walker in moving:
            steps.take(walker, round_)
        await _settle_throttles(connection, round_)
        made += await collecting.settle(connection, round_, now)
        said += round_.sends
        moving = [walker for walker in moving if not walker.rests]
    spoke = {id(walker) for walker, _ in said}
    for walker in walkers:
        walker.said = walker.said or id(walker) in spoke
    await rows.keep(connection, [*walkers, *made])
    return said


async def _look_at_fallbacks(connection: Connection, walkers: Sequence[Walker]) -> None:
    """Whoever comes back to a fallback wants to know whether what it said has arrived."""
    back = [w for w in walkers if isinstance(w.step, FallbackStep) and "tried" in w.memory]
    if back:
        await load_steps(connection, back)


async def _settle_throttles(connection: Connection, round_: steps.Round) -> None:
    times = await take_slots(connection, [want for _, want in round_.throttled])
    for (walker, want), at in zip(round_.throttled, times, strict=True):
        detail: dict[str, Any] = {"until": at.isoformat(), "limit": want.limit, "window_seconds": want.window_seconds}
        if at <= round_.now:
            walker.go_on()
        elif want.defer:
            walker.note("throttled", round_.now, **detail)
            walker.go_on()
            walker.wait(at)
        else:
            walker.note("dropped", round_.now, **detail)
            walker.end(reason="throttled")

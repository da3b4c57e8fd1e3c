"""Digests by property: whatever comes, in whatever order, with crashes and clock jumps, each event goes out in exactly one digest.

An example is a workflow drawn at random and a list of deeds: events of two people under three keys, cancellations, clock jumps,
work that is done, work that a crash undoes, and two workers at once. Afterwards everything is let run to its end and the books
are compared: each event is in one digest that went out, or left it because it was cancelled; never in two, never across keys,
in the order of joining. The engine is the real one on a real PostgreSQL; its clock is in the test's hands.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from delivery.runs.stage import walk_due
from deploy.simulation.clock import INSTALL, OPTIONS, REMOVE
from notifications.database import connection_options
from notifications.errors import Conflict
from tests.delivery.laws import assert_lawful
from tests.delivery.runs.flow import START, Flow
from tests.delivery.world import World

EXAMPLES: Final = int(os.environ.get("CARILLON_DIGEST_EXAMPLES", "12"))

WINDOWS: Final = (
    {"for": "PT30M"},
    {"sliding": "PT10M", "max": "PT45M"},
    {"cron": "0 * * * *", "timezone": "recipient"},
    {"rrule": "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0", "timezone": "Europe/Berlin"},
)
TITLE: Final = "{{ items.first.data.key }}:{% for item in items %} {{ item.data.text }}{% endfor %}"

workflows = st.fixed_dictionaries(
    {
        "window": st.sampled_from(WINDOWS),
        "max_items": st.sampled_from([1, 2, 5, 100]),
        "first_at_once": st.booleans(),
        "before": st.booleans(),
        "behind": st.booleans(),
        "second": st.booleans(),
    }
)
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.sampled_from(["ana", "bo"]), st.sampled_from(["a", "b", ""])),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("jump"), st.sampled_from([1, 9, 10, 31, 60, 24 * 60])),
        st.tuples(st.just("work")),
        st.tuples(st.just("crash")),
        st.tuples(st.just("both")),
    ),
    max_size=25,
)


def steps_of(drawn: dict[str, Any]) -> list[dict[str, Any]]:
    delay = {"type": "delay", "for": "PT7M"}
    common = {"type": "digest", "digest_key": "{{ data.key }}", "max_items": drawn["max_items"]}
    steps = [{"key": "before", **delay}] if drawn["before"] else []
    steps.append({"key": "first", **common, "window": drawn["window"], "first_at_once": drawn["first_at_once"]})
    steps += [{"key": "behind", **delay}] if drawn["behind"] else []
    steps += [{"key": "second", **common, "window": {"for": "PT2H"}}] if drawn["second"] else []
    return [*steps, {"key": "list", "type": "in_app", "template": {"title": TITLE, "body": "b"}}]


class Play:
    """One example: what was asked for, and what may be missing because it was cancelled."""

    def __init__(self, flow: Flow, other: AsyncConnection[Any], number: int) -> None:
        self.flow, self.other, self.name = flow, other, f"w{number}"
        self.events: list[tuple[UUID, str, str]] = []
        self.cancelled: set[int] = set()

    def person(self, name: str) -> str:
        return f"{name}-{self.name}"

    async def do(self, deed: tuple[Any, ...]) -> None:
        match deed:
            case ("event", person, key):
                data = {"key": key}
                notification = await self.flow.accept(
                    self.name, self.person(person), text=str(len(self.events)), data=data
                )
                self.events.append((notification, person, key))
            case ("cancel", index) if self.events:
                index %= len(self.events)
                try:
                    await self.flow.cancel(self.events[index][0])
                except Conflict:
                    return  # it has gone out
                self.cancelled.add(index)
            case ("jump", minutes):
                await self.flow.pass_time(minutes=minutes)
            case ("work",):
                await self.flow.run()
            case ("crash",):
                async with self.flow.world.connection.transaction(force_rollback=True):
                    await self.flow.run()
            case ("both",):
                await self.flow.route()
                await asyncio.gather(walk_due(self.flow.world.connection, limit=3), walk_due(self.other, limit=3))

    async def check(self) -> None:
        """Everything runs to its end; then the books are compared."""
        await self.flow.pass_time(days=3)
        said: list[tuple[str, str, list[int]]] = []
        for person in ("ana", "bo"):
            for title in await self.flow.titles(self.person(person)):
                key, _, texts = title.partition(":")
                said.append((person, key, [int(text) for text in texts.split()]))
        counts = Counter(index for _, _, indexes in said for index in indexes)
        assert all(count == 1 for count in counts.values()), f"twice: {counts}"
        missing = {index for index in range(len(self.events)) if index not in counts}
        assert missing <= self.cancelled, f"lost: {missing - self.cancelled}"
        for person, key, indexes in said:
            assert {self.events[index][1:] for index in indexes} == {(person, key)}, "mixed"
            assert indexes == sorted(indexes), "out of order"
        waiting = await self.flow.runs("waiting")
        assert waiting == [], "something waits for ever"


@contextmanager
def clock() -> Iterator[dict[str, Any]]:
    options = connection_options()
    with psycopg.connect(**options, autocommit=True) as client:
        client.execute(INSTALL)
    try:
        yield {**options, "options": OPTIONS}
    finally:
        with psycopg.connect(**options, autocommit=True) as client:
            client.execute(REMOVE)


@pytest.mark.timeout(0 if EXAMPLES > 100 else 900)
def test_each_event_is_in_exactly_one_digest(project_id: UUID) -> None:
    loop = asyncio.new_event_loop()
    numbers = iter(range(1_000_000))

    async def open_all(options: dict[str, Any]) -> tuple[Flow, AsyncConnection[Any]]:
        flow = Flow(World(await AsyncConnection.connect(**options, autocommit=True), project_id))
        await flow.set(START)
        return flow, await AsyncConnection.connect(**options, autocommit=True)

    async def play(flow: Flow, other: AsyncConnection[Any], drawn: dict[str, Any], todo: list[tuple[Any, ...]]) -> None:
        game = Play(flow, other, next(numbers))
        await flow.publish(game.name, steps_of(drawn))
        for deed in todo:
            await game.do(deed)
        await game.check()
        await assert_lawful(flow.world.connection)

    with clock() as options:
        flow, other = loop.run_until_complete(open_all(options))

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(workflows, deeds)
        def example(drawn: dict[str, Any], todo: list[tuple[Any, ...]]) -> None:
            loop.run_until_complete(play(flow, other, drawn, todo))

        try:
            example()
        finally:
            loop.run_until_complete(flow.world.connection.close())
            loop.run_until_complete(other.close())
            loop.close()

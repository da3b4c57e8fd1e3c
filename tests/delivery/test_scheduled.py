"""Engines make what schedules have due, without any Beat: from the schedule's time to the message in the inbox."""

import asyncio
from datetime import timedelta

from delivery.engine import FIRE
from tests.delivery.test_engine import running
from tests.delivery.world import World, until
from tests.schedules.test_firing import add, clock, made, runs


async def test_an_engine_finds_what_is_due_by_itself(world: World) -> None:
    now = await clock(world)
    soon = await add(world, cron=None, at=now, due="now() + interval '1 minute'")
    await world.connection.execute("UPDATE schedules_schedule SET next_at = now() + interval '1 second'")
    async with running():
        await until(lambda: _is_made(world), what="the schedule to come")
        (notification,) = await made(world)
        (row,) = await world.wait_for_states(notification["id"], "delivered")
    (run,) = await runs(world, soon)
    assert run["created_at"] >= run["occurrence"]
    assert (row["recipient"], run["next_at"]) == ("u1", None)


async def test_three_engines_make_each_time_once(world: World) -> None:
    for number in range(30):
        await add(world, key=f"s{number}", cron="* * * * *", due="now() - interval '3 minutes'", catch_up="all")
    async with running() as first, running() as second, running() as third:

        async def caught_up() -> bool:
            for engine in (first, second, third):
                await engine.work([FIRE], patience=5.0)
            rows = await world.rows("SELECT 1 FROM schedules_schedule WHERE next_at <= now()")
            return not rows

        await until(caught_up, what="the engines to catch up")
        await world.connection.execute("UPDATE schedules_schedule SET next_at = NULL")
        told = [(row["metadata"]["schedule"], row["metadata"]["occurrence"]) for row in await made(world)]
        assert len(told) == len(set(told)) >= 4 * 30
        await world.wait_for_states(None, "delivered")
    rows = await world.deliveries()
    assert len({row["notification_id"] for row in rows}) == len(rows) == len(told)


async def test_an_engine_that_is_killed_leaves_what_is_due_to_the_next(world: World) -> None:
    """Its connections are cut while it is at it, again and again."""
    for number in range(30):
        await add(world, key=f"s{number}")
    async with running():
        for _ in range(10):
            await world.connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE '%schedules_schedule%' AND pid <> pg_backend_pid()"
            )
            await asyncio.sleep(0.03)
    async with running():
        await until(lambda: _are_made(world, 30), what="all to be made")
        await world.wait_for_states(None, "delivered")
    assert len(await made(world)) == len(await world.deliveries()) == 30
    late = await world.rows("SELECT max(created_at - occurrence) AS late FROM schedules_schedulerun")
    assert late[0]["late"] < timedelta(hours=1)


async def _is_made(world: World) -> bool:
    return await _are_made(world, 1)


async def _are_made(world: World, count: int) -> bool:
    return len(await made(world)) == count

"""Critical before everything else, in every stage, and without reading the queue behind it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from delivery import in_app
from delivery.claims import claim
from delivery.conf import DeliveryConf
from delivery.due import FIRST_PROJECT, Round, due_rows
from delivery.route import route
from notifications.database import IN_ORDER, connect, make_pool
from tests.delivery.world import World, unheard, until

ONE_AT_A_TIME = DeliveryConf(route_batch=1)
QUEUE = 20_000
ORIGIN = UUID(int=0)


async def mixed(world: World, channels: Sequence[str]) -> tuple[UUID, UUID, UUID]:
    """Two usual notifications and, accepted last, a critical one."""
    people = [{"id": "u1", "email": "u1@example.com"}]
    first = await world.accept(people, channels)
    second = await world.accept(people, channels)
    return first, second, await world.accept(people, channels, critical=True)


async def route_all(world: World) -> None:
    while await route(world.connection, DeliveryConf(), unheard):
        pass


async def test_critical_notifications_are_routed_first(world: World) -> None:
    _, _, critical = await mixed(world, ["in_app"])
    await route(world.connection, ONE_AT_A_TIME, unheard)
    assert [row["notification_id"] for row in await world.deliveries()] == [critical]
    await route_all(world)


async def test_critical_deliveries_are_claimed_first(world: World) -> None:
    first, second, critical = await mixed(world, ["email"])
    await route_all(world)
    seen = []
    for _ in range(3):
        _, (item,) = await claim(world.connection, channel="email", limit=1, lease_seconds=60, max_claims=5)
        seen.append(item.notification_id)
    assert seen[0] == critical
    assert set(seen) == {first, second, critical}


async def test_critical_comes_first_within_a_batch(world: World) -> None:
    _, _, critical = await mixed(world, ["email"])
    await route_all(world)
    seen, items = await claim(world.connection, channel="email", limit=2, lease_seconds=60, max_claims=5)
    assert seen == 2
    assert items[0].notification_id == critical


async def test_critical_messages_reach_the_inbox_first(world: World) -> None:
    _, _, critical = await mixed(world, ["in_app"])
    await route_all(world)
    await in_app.deliver(world.connection, limit=1)
    delivered = [row["notification_id"] for row in await world.deliveries() if row["state"] == "delivered"]
    assert delivered == [critical]
    await in_app.deliver(world.connection, limit=10)


def scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Every node of a plan that reads the table of deliveries."""
    found = [plan] if plan.get("Relation Name") == "delivery_delivery" else []
    return found + [scan for child in plan.get("Plans", []) for scan in scans(child)]


async def test_a_claim_reads_what_it_takes_not_the_queue(world: World) -> None:
    await world.add_recipients("u1")
    await world.connection.execute(
        "INSERT INTO delivery_delivery (id, project_id, notification_id, recipient_id, channel, state, available_at)"
        " SELECT gen_random_uuid(), %s, gen_random_uuid(), gen_random_uuid(), 'email', 'queued', now()"
        " FROM generate_series(1, %s)",
        (world.project_id, QUEUE),
    )
    await world.connection.execute("ANALYZE delivery_delivery")
    sql = f"WITH {due_rows('delivery_delivery', where='channel = %(channel)s')} SELECT id FROM due"
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}"
    cursor = await world.connection.execute(explain, {"channel": "email", "limit": 50, "after": FIRST_PROJECT})
    row = await cursor.fetchone()
    assert row is not None
    read = scans(row[0][0]["Plan"])
    assert {scan["Node Type"] for scan in read} <= {"Index Scan", "Index Only Scan"}
    assert 50 <= sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in read) < 60
    await world.connection.execute("DELETE FROM delivery_delivery")


async def queue(world: World, project: UUID, count: int, *, channel: str = "email", critical: bool = False) -> None:
    """So many due deliveries of a project, as far as claims care."""
    await world.connection.execute(
        "INSERT INTO delivery_delivery (id, project_id, notification_id, recipient_id, channel, state, critical, available_at)"
        " SELECT gen_random_uuid(), %s, gen_random_uuid(), gen_random_uuid(), %s, 'queued', %s, now() - interval '1 hour'"
        "  FROM generate_series(1, %s)",
        (project, channel, critical, count),
    )


async def claimed(world: World, limit: int, after: UUID = ORIGIN) -> Counter[UUID]:
    """How many of each project one claim takes."""
    _, items = await claim(world.connection, channel="email", limit=limit, lease_seconds=60, max_claims=5, after=after)
    return Counter(item.project_id for item in items)


@pytest.fixture
async def projects(world: World) -> AsyncIterator[list[UUID]]:
    """The ids of projects in order; claims need no more of them."""
    yield sorted(uuid4() for _ in range(6))
    await world.connection.execute("DELETE FROM delivery_attempt")
    await world.connection.execute("DELETE FROM delivery_delivery")


async def test_a_broadcast_delays_another_projects_message_by_one_batch_at_most(
    world: World, projects: list[UUID]
) -> None:
    broadcast, *small = projects
    await queue(world, broadcast, 5_000)
    for project in small:
        await queue(world, project, 1)
    assert await claimed(world, 100) == {broadcast: 95, **dict.fromkeys(small, 1)}


async def test_two_broadcasts_share_and_leave_no_place_empty(world: World, projects: list[UUID]) -> None:
    first, second, third = projects[:3]
    await queue(world, first, 500)
    await queue(world, second, 500)
    await queue(world, third, 3)
    taken = await claimed(world, 99)
    assert taken[third] == 3
    assert min(taken[first], taken[second]) >= 33
    assert taken.total() == 99


async def test_critical_rows_are_fair_among_themselves_and_before_all_others(
    world: World, projects: list[UUID]
) -> None:
    first, second, third = projects[:3]
    await queue(world, first, 50, critical=True)
    await queue(world, second, 5, critical=True)
    await queue(world, third, 50)
    assert await claimed(world, 10) == {first: 5, second: 5}
    assert await claimed(world, 50) == {first: 45, third: 5}


async def test_with_more_projects_than_places_everybodys_turn_comes(world: World, projects: list[UUID]) -> None:
    for project in projects:
        await queue(world, project, 10)
    turns, served = Round(), Counter[UUID]()
    for _ in range(3):
        taken = await claimed(world, 2, turns.after)
        turns.end(taken)
        served += taken
    assert served == dict.fromkeys(projects, 1)


async def test_fair_claimers_side_by_side_take_everything_once(world: World, projects: list[UUID]) -> None:
    for number, project in enumerate(projects):
        await queue(world, project, 10 + 50 * number)

    async def claimer() -> list[UUID]:
        mine: list[UUID] = []
        async with await connect() as connection:
            while True:
                seen, items = await claim(
                    connection, channel="email", limit=16, lease_seconds=60, max_claims=5, after=projects[2]
                )
                mine += [item.delivery_id for item in items]
                if not seen:
                    return mine

    taken = [row for mine in await asyncio.gather(*(claimer() for _ in range(6))) for row in mine]
    assert len(taken) == len(set(taken)) == sum(10 + 50 * number for number in range(6))


async def test_a_plan_kept_from_an_empty_table_reads_no_more_when_a_million_came(
    world: World, projects: list[UUID]
) -> None:
    async with make_pool(max_size=1, avoid=IN_ORDER) as pool, pool.connection() as connection:
        await connection.execute("TRUNCATE delivery_delivery, delivery_attempt CASCADE")
        for _ in range(10):  # prepared, and generic from the sixth time on
            await claim(connection, channel="email", limit=20, lease_seconds=60, max_claims=5)
        await queue(world, projects[0], QUEUE)
        before = await rows_read(world)
        seen, items = await claim(connection, channel="email", limit=20, lease_seconds=60, max_claims=5)
        assert (seen, len(items)) == (20, 20)

    async def read() -> int | None:
        return (await rows_read(world) - before) or None

    assert await until(read, what="the statistics") < 1_000


async def rows_read(world: World) -> int:
    """What scans of deliveries have read so far; a connection reports when it closes at the latest."""
    (row,) = await world.rows(
        "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)"
        "     + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'delivery_delivery') AS n"
        "  FROM pg_stat_user_tables WHERE relname = 'delivery_delivery'"
    )
    return int(row["n"])

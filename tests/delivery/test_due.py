"""Critical before everything else, in every stage, and without reading the queue behind it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from delivery import in_app
from delivery.claims import claim
from delivery.conf import DeliveryConf
from delivery.due import due_rows
from delivery.route import route
from tests.delivery.world import World, unheard

ONE_AT_A_TIME = DeliveryConf(route_batch=1)
QUEUE = 20_000


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
    cursor = await world.connection.execute(explain, {"channel": "email", "limit": 50})
    row = await cursor.fetchone()
    assert row is not None
    read = scans(row[0][0]["Plan"])
    assert {scan["Node Type"] for scan in read} <= {"Index Scan", "Index Only Scan"}
    assert sum(scan["Actual Rows"] for scan in read) == 50
    await world.connection.execute("DELETE FROM delivery_delivery")

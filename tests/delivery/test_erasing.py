"""Erasing a person while something is on its way to them: whoever is just routing it does not make them anew."""

import asyncio
from datetime import timedelta

from delivery.conf import DeliveryConf
from delivery.erasing import erase_recipient
from delivery.route import claim_accepted, route, route_claimed
from notifications.clock import utc_now
from notifications.database import connect
from notifications.executor import in_thread
from notifications.intake.writer import Connection
from tests.delivery.world import World, unheard

CONF = DeliveryConf()


async def known(world: World) -> set[str]:
    return {row["external_id"] for row in await world.rows("SELECT external_id FROM notifications_recipient")}


async def test_a_router_that_holds_the_name_is_fenced_off(world: World, other: Connection) -> None:
    await world.add_recipients("u1", "u2")
    alone, shared = await world.accept(["u1"]), await world.accept(["u1", "u2"])
    _, claimed = await claim_accepted(other, CONF)
    assert {item.id for item in claimed} == {alone, shared}
    await in_thread(erase_recipient, project_id=world.project_id, external_id="u1")
    await route_claimed(other, claimed, CONF, unheard)
    assert await world.deliveries() == [] and await known(world) == {"u2"}
    while await route(world.connection, CONF, unheard):
        pass
    assert [row["notification_id"] for row in await world.deliveries()] == [shared]
    assert await known(world) == {"u2"}
    rows = await world.rows("SELECT id, status, recipients, content FROM notifications_notification ORDER BY id")
    assert [(row["status"], row["recipients"]) for row in rows] == [("routed", []), ("routed", ["u2"])]
    assert rows[0]["content"]["title"] == "" and rows[1]["content"]["title"] == "Hi"


async def test_a_scheduled_notification_keeps_its_time(world: World) -> None:
    await world.add_recipients("u1", "u2")
    await world.accept(["u1", "u2"], send_at=(utc_now() + timedelta(days=30)).isoformat())
    before = await world.rows("SELECT available_at FROM notifications_notification")
    await in_thread(erase_recipient, project_id=world.project_id, external_id="u1")
    after = await world.rows("SELECT available_at, recipients FROM notifications_notification")
    assert after == [{**before[0], "recipients": ["u2"]}]


async def test_erasing_and_routing_at_once_end_well(world: World) -> None:
    names = [f"u{n}" for n in range(12)]
    await world.add_recipients(*names)
    await world.accept_many([[name, "keeps"] for name in names * 5])

    async def router() -> None:
        async with await connect() as connection:
            while await route(connection, CONF, unheard):
                pass

    erasing = [in_thread(erase_recipient, project_id=world.project_id, external_id=name) for name in names]
    await asyncio.gather(router(), router(), *erasing)
    await router()
    assert await known(world) == {"keeps"}
    assert len(await world.deliveries()) == 60
    rows = await world.rows("SELECT DISTINCT status, recipients FROM notifications_notification")
    assert rows == [{"status": "routed", "recipients": ["keeps"]}]

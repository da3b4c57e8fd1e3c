"""Routing: accepted notifications become deliveries, each exactly once, whatever is cut off in between."""

import asyncio
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest

from delivery.conf import DeliveryConf
from delivery.route import route
from delivery.services import cancel_notification
from notifications import ids
from notifications.database import connect
from notifications.executor import in_thread
from notifications.intake.writer import Connection
from tests.delivery.world import World, unheard

CONF = DeliveryConf()


async def route_all(connection: Connection, conf: DeliveryConf = CONF) -> None:
    while await route(connection, conf, unheard):
        pass


async def test_every_kind_of_way_becomes_a_delivery(world: World) -> None:
    (known,) = await world.add_recipients("known")
    first = await world.add_endpoint(known, "https://a.example/hook")
    second = await world.add_endpoint(known, "https://b.example/hook")
    notification = await world.accept(
        ["known", "unknown", {"id": "mail", "email": "m@example.com"}], ["in_app", "email", "webhook"]
    )
    heard: set[str] = set()
    assert await route(world.connection, CONF, heard.update) == 1
    assert heard == {"in_app", "email", "webhook"}
    found = {
        (row["recipient"], row["channel"], row["endpoint_id"], row["state"], row["reason"])
        for row in await world.deliveries(notification)
    }
    assert found == {
        ("known", "in_app", None, "queued", ""),
        ("known", "email", None, "failed", "no_email"),
        ("known", "webhook", first, "queued", ""),
        ("known", "webhook", second, "queued", ""),
        ("unknown", "in_app", None, "queued", ""),
        ("unknown", "email", None, "failed", "no_email"),
        ("unknown", "webhook", None, "failed", "no_endpoint"),
        ("mail", "in_app", None, "queued", ""),
        ("mail", "email", None, "queued", ""),
        ("mail", "webhook", None, "failed", "no_endpoint"),
    }
    assert (await world.notification(notification))["status"] == "routed"


async def test_a_disabled_endpoint_is_no_way(world: World) -> None:
    (known,) = await world.add_recipients("known")
    await world.add_endpoint(known, "https://a.example/hook")
    await world.connection.execute("UPDATE notifications_endpoint SET state = 'disabled'")
    notification = await world.accept(["known"], ["webhook"])
    await route_all(world.connection)
    assert (await world.delivery(notification))["reason"] == "no_endpoint"


async def test_named_twice_and_by_topic_is_told_once(world: World) -> None:
    members = await world.add_recipients("u1", "u2", "u3")
    await world.add_topic("team", members)
    await world.add_topic("half", members[:2])
    notification = await world.accept(["u1", {"topic": "team"}, "u1", {"topic": "half"}, "u9", {"id": "u2"}])
    await route_all(world.connection)
    assert sorted(row["recipient"] for row in await world.deliveries(notification)) == ["u1", "u2", "u3", "u9"]


async def test_routers_at_once_share_nothing(world: World) -> None:
    notifications = await world.accept_many([[f"u{n}", f"u{n + 1}", "everybody"] for n in range(300)])

    async def router() -> None:
        async with await connect() as connection:
            await route_all(connection, replace(CONF, route_batch=9))

    await asyncio.gather(*(router() for _ in range(4)))
    for notification in notifications:
        assert len(await world.deliveries(notification)) == 3


async def test_a_large_topic_is_walked_in_chunks_and_gives_others_their_turn(world: World) -> None:
    conf = replace(CONF, route_chunk=10)
    await world.add_topic("crowd", await world.add_recipients(*(f"u{n}" for n in range(10 + 15))))
    large = await world.accept([{"topic": "crowd"}, "late"])
    await route(world.connection, conf, unheard)
    row = await world.notification(large)
    assert (row["status"], row["lease_token"], len(await world.deliveries(large))) == (
        "accepted",
        None,
        10,
    )
    await route_all(world.connection, conf)
    recipients = [row["recipient"] for row in await world.deliveries(large)]
    assert len(recipients) == len(set(recipients)) == 10 + 16
    assert (await world.notification(large))["status"] == "routed"


async def test_a_topic_of_a_multiple_of_the_chunk_and_an_empty_one(world: World) -> None:
    conf = replace(CONF, route_chunk=10)
    await world.add_topic("even", await world.add_recipients(*(f"u{n}" for n in range(20))))
    await world.add_topic("nobody", [])
    notification = await world.accept([{"topic": "nobody"}, {"topic": "even"}])
    await route_all(world.connection, conf)
    assert len(await world.deliveries(notification)) == 20
    assert (await world.notification(notification))["status"] == "routed"


async def stop_in_second_chunk(world: World, other: Connection, notification: UUID, members: list[UUID]) -> None:
    """Run a router until it has committed one chunk and is writing the second, then cut its connection."""
    async with await connect() as router:
        pid = router.info.backend_pid
        async with other.transaction(force_rollback=True):
            # An uncommitted delivery of member 1500: the router has to wait for us in its second chunk.
            await other.execute(
                "INSERT INTO delivery_delivery (id, project_id, notification_id, recipient_id, channel, state, available_at)"
                " VALUES (%s, %s, %s, %s, 'in_app', 'queued', now())",
                (ids.new_uuid(), world.project_id, notification, members[1500]),
            )
            routing = asyncio.create_task(route_all(router))
            await world.wait_for_lock(pid)
            await world.connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
            with pytest.raises(psycopg.OperationalError):
                await routing


async def test_a_crash_between_chunks_gives_each_of_3500_members_exactly_one_delivery(
    world: World, other: Connection
) -> None:
    members = sorted(await world.add_recipients(*(f"u{n}" for n in range(3500))))
    await world.add_topic("crowd", members)
    notification = await world.accept([{"topic": "crowd"}])
    await stop_in_second_chunk(world, other, notification, members)

    row = await world.notification(notification)
    assert (row["status"], row["route_cursor"]) == ("accepted", {"entry": 0, "after": members[999].hex})
    assert len(await world.deliveries(notification)) == 1000
    assert await route(world.connection, CONF, unheard) == 0  # still leased to the dead
    await world.end_leases()
    await route_all(world.connection)
    assert sorted(row["recipient_id"] for row in await world.deliveries(notification)) == members
    assert (await world.notification(notification))["status"] == "routed"


async def test_a_notification_that_expired_before_routing_reaches_nobody(world: World) -> None:
    notification = await world.accept(["u1"], expires_at="2099-01-01T00:00:00Z")
    await world.connection.execute("UPDATE notifications_notification SET expires_at = now() - interval '1 second'")
    await route_all(world.connection)
    row = await world.notification(notification)
    assert (row["status"], row["reason"]) == ("expired", "expires_at_passed")
    assert await world.deliveries(notification) == []


async def test_what_is_to_be_sent_later_waits(world: World) -> None:
    notification = await world.accept(["u1"], send_at="2027-06-01T00:00:00Z")
    assert await route(world.connection, CONF, unheard) == 0
    assert (await world.notification(notification))["status"] == "accepted"
    await world.end_leases()
    await route_all(world.connection)
    assert (await world.notification(notification))["status"] == "routed"


async def test_one_that_the_database_refuses_harms_only_itself(world: World) -> None:
    bad, good, fine = await world.accept_many([["u1"], ["u2"], ["u3"]])
    # A recipient cannot be made for a project that is gone.
    await world.connection.execute(
        "UPDATE notifications_notification SET project_id = %s WHERE id = %s", (ids.new_uuid(), bad)
    )
    await route(world.connection, CONF, unheard)
    assert [len(await world.deliveries(item)) for item in (bad, good, fine)] == [0, 1, 1]
    for _ in range(CONF.max_claims):
        await world.end_leases()
        await route(world.connection, CONF, unheard)
    row = await world.notification(bad)
    assert (row["status"], row["reason"]) == ("failed", "poison")


async def test_cancelled_before_routing_reaches_nobody(world: World) -> None:
    notification = await world.accept(["u1", "u2"])
    await in_thread(cancel_notification, notification_id=notification)
    assert await route(world.connection, CONF, unheard) == 0
    assert await world.deliveries(notification) == []
    assert (await world.notification(notification))["status"] == "cancelled"


async def test_cancelled_during_routing_leaves_nothing_to_send(world: World, other: Connection) -> None:
    members = sorted(await world.add_recipients(*(f"u{n}" for n in range(3500))))
    await world.add_topic("crowd", members)
    notification = await world.accept([{"topic": "crowd"}])
    await stop_in_second_chunk(world, other, notification, members)
    assert await in_thread(cancel_notification, notification_id=notification) == 1000
    await world.end_leases()
    await route_all(world.connection)
    assert {row["state"] for row in await world.deliveries(notification)} == {"cancelled"}


async def test_cancelled_between_its_claim_and_its_turn_reaches_nobody(world: World, other: Connection) -> None:
    await world.add_topic("team", await world.add_recipients("u1", "u2"))
    first, second = await world.accept_many([["fresh"], [{"topic": "team"}]])
    async with await connect() as router:
        async with other.transaction(force_rollback=True):
            # The router has claimed both and waits to make a recipient that somebody else is making too.
            await other.execute(
                "INSERT INTO notifications_recipient (id, project_id, external_id, data) VALUES (%s, %s, 'fresh', '{}')",
                (ids.new_uuid(), world.project_id),
            )
            routing = asyncio.create_task(route(router, CONF, unheard))
            await world.wait_for_lock(router.info.backend_pid)
            await in_thread(cancel_notification, notification_id=second)
        await routing
    assert len(await world.deliveries(first)) == 1
    assert await world.deliveries(second) == []
    assert (await world.notification(second))["status"] == "cancelled"

"""Cancelling, expiring, claiming, finishing, retrying and routing the same rows at once: one wins, never both.

Each race is held still: one side has done its work and not committed, the other waits for its lock; then the first commits.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as django_connection
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from delivery import in_app
from delivery.claims import claim
from delivery.conf import DeliveryConf
from delivery.finishes import Finisher
from delivery.models import Delivery
from delivery.route import route
from delivery.services import cancel, cancel_notification, cancel_notifications, replay, retry_delivery
from delivery.states import TERMINAL, State
from notifications.errors import Conflict
from notifications.executor import in_thread
from notifications.intake.writer import Connection
from notifications.models import Notification
from tests.delivery.status_events.listening import listen, recorded
from tests.delivery.test_claims import queued, take
from tests.delivery.test_finishes import SENT, finish
from tests.delivery.world import World, unheard

Pool = AsyncConnectionPool[AsyncConnection[Any]]


async def begun(world: World, work: Callable[[], Any]) -> "asyncio.Task[Any]":
    """`work` on a connection of Django's, once it waits for somebody's lock."""
    pids: list[int] = []
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_thread() -> Any:
        with django_connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
        loop.call_soon_threadsafe(started.set)
        return work()

    task = asyncio.create_task(in_thread(on_thread))
    await started.wait()
    await world.wait_for_lock(pids[0])
    return task


def of(notification: Any) -> Any:
    return Delivery.objects.filter(notification_id=notification)


def by_recipient(notification: Any) -> Any:
    """The same rows, but found over a join, as by the filters of the API and the admin."""
    return Delivery.objects.filter(notification_id=notification, recipient__external_id="u0")


@pytest.mark.parametrize("rows", [of, by_recipient])
async def test_a_claim_that_came_first_wins_over_cancelling(
    world: World, other: Connection, pool: Pool, rows: Callable[[Any], Any]
) -> None:
    notification = await queued(world)
    async with other.transaction():
        _, (item,) = await take(other)
        cancelling = await begun(world, lambda: cancel(rows(notification)))
    assert await cancelling == 0
    row = await world.delivery(notification)
    assert (row["state"], row["lease_token"]) == ("sending", item.token)
    await Finisher(pool).write(finish(item, SENT))
    assert (await world.delivery(notification))["state"] == "sent"


async def test_cancelling_that_came_first_wins_over_a_claim(world: World, other: Connection) -> None:
    notification = await queued(world)
    async with other.transaction():
        await other.execute("SELECT FROM delivery_delivery FOR UPDATE")
        cancelling = await begun(world, lambda: cancel(of(notification)))
        assert await take(world.connection) == (0, [])
    assert await cancelling == 1
    assert await take(world.connection) == (0, [])
    row = await world.delivery(notification)
    assert (row["state"], row["reason"], row["attempt_count"]) == ("cancelled", "cancelled_by_caller", 0)


async def test_an_expiry_that_came_first_wins_over_cancelling(world: World, other: Connection) -> None:
    await listen(world, types=("delivery.expired", "delivery.cancelled"))
    notification = await queued(world, expires_at="2099-01-01T00:00:00Z")
    await world.connection.execute("UPDATE delivery_delivery SET expires_at = now() - interval '1 second'")
    async with other.transaction():
        assert await take(other) == (1, [])
        cancelling = await begun(world, lambda: cancel(of(notification)))
    assert await cancelling == 0
    assert (await world.delivery(notification))["state"] == "expired"
    assert [row["type"] for row in await recorded(world)] == ["delivery.expired"]


@pytest.mark.parametrize("rows", [of, by_recipient])
async def test_replaying_what_was_taken_up_meanwhile_takes_no_lease_away(
    world: World, other: Connection, pool: Pool, rows: Callable[[Any], Any]
) -> None:
    notification = await queued(world)
    await in_thread(cancel, of(notification))
    async with other.transaction():
        # Another replay, after which the row is claimed.
        await other.execute(
            "UPDATE delivery_delivery SET state = 'queued', reason = '', finished_at = NULL, available_at = now()"
        )
        _, (item,) = await take(other)
        replaying = await begun(world, lambda: replay(rows(notification)))
    assert await replaying == 0
    assert await take(world.connection) == (0, [])
    await Finisher(pool).write(finish(item, SENT))
    assert (await world.delivery(notification))["state"] == "sent"


async def test_two_replays_are_one(world: World, other: Connection) -> None:
    notification = await queued(world, count=3)
    await in_thread(cancel, of(notification))
    async with other.transaction():
        await other.execute("SELECT FROM delivery_delivery ORDER BY id FOR UPDATE")
        first = await begun(world, lambda: replay(of(notification)))
        second = await begun(world, lambda: replay(of(notification)))
    assert sorted([await first, await second]) == [0, 3]


async def test_a_second_retry_of_the_same_is_refused_not_done_twice(world: World, other: Connection) -> None:
    notification = await queued(world)
    await in_thread(cancel, of(notification))
    delivery = (await world.delivery(notification))["id"]
    async with other.transaction():
        await other.execute("SELECT FROM delivery_delivery FOR UPDATE")
        tasks = [await begun(world, lambda: retry_delivery(delivery_id=delivery)) for _ in range(2)]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Delivery"]


async def test_routing_that_came_first_is_cancelled_with_its_deliveries(world: World, other: Connection) -> None:
    notification = await world.accept([f"u{n}" for n in range(5)])
    async with other.transaction():
        await route(other, DeliveryConf(), unheard)
        cancelling = await begun(world, lambda: cancel_notification(notification_id=notification))
    assert await cancelling == 5
    assert (await world.notification(notification))["status"] == "routed"
    assert {row["state"] for row in await world.deliveries(notification)} == {"cancelled"}
    # Asked again it is as it was; nothing has gone out.
    assert await in_thread(cancel_notification, notification_id=notification) == 0


async def test_cancelling_that_came_first_leaves_nothing_to_route(world: World, other: Connection) -> None:
    notification = await world.accept(["u1"])
    async with other.transaction():
        await other.execute("SELECT FROM notifications_notification FOR UPDATE")
        cancelling = await begun(world, lambda: cancel_notification(notification_id=notification))
        assert await route(world.connection, DeliveryConf(), unheard) == 0
    assert await cancelling == 0
    assert await route(world.connection, DeliveryConf(), unheard) == 0
    assert (await world.notification(notification))["status"] == "cancelled"
    assert await world.deliveries(notification) == []


async def test_cancelling_a_topic_between_two_chunks_stops_the_rest(world: World) -> None:
    await world.add_topic("crowd", await world.add_recipients(*(f"m{n}" for n in range(60))))
    notification = await world.accept([{"topic": "crowd"}])
    await route(world.connection, DeliveryConf(route_chunk=10), unheard)  # one chunk, then its turn is over
    assert len(await world.deliveries(notification)) == 10
    assert await in_thread(cancel_notification, notification_id=notification) == 10
    assert await route(world.connection, DeliveryConf(route_chunk=10), unheard) == 0
    assert {row["state"] for row in await world.deliveries(notification)} == {"cancelled"}


async def test_a_message_that_is_being_stored_is_not_cancelled(world: World, other: Connection) -> None:
    notification = await world.accept(["u1"])
    await route(world.connection, DeliveryConf(), unheard)
    async with other.transaction():
        await in_app.deliver(other, limit=10)
        cancelling = await begun(world, lambda: cancel_notification(notification_id=notification))
    with pytest.raises(Conflict):
        await cancelling
    assert (await world.delivery(notification))["state"] == "delivered"


async def test_cancelling_by_key_stops_all_that_carry_it_and_no_other(world: World, other: Connection) -> None:
    mine = [await world.accept(["u1"], cancellation_key="order-17") for _ in range(3)]
    apart = await world.accept(["u1"], cancellation_key="order-18")
    async with other.transaction():
        await route(other, DeliveryConf(), unheard)
        found = Notification.objects.filter(cancellation_key="order-17")
        cancelling = await begun(world, lambda: cancel_notifications(found))
    assert await cancelling == 3
    states = {notification: (await world.delivery(notification))["state"] for notification in [*mine, apart]}
    assert states == {**dict.fromkeys(mine, "cancelled"), apart: "queued"}


async def test_a_crowd_of_all_of_them_ends_each_delivery_exactly_once(world: World, pool: Pool) -> None:
    """Claimers, cancellers and expiries over the same rows; the ledger is the events, written with each end."""
    count = 240
    await listen(world, types=tuple(f"delivery.{state}" for state in TERMINAL))
    notification = await queued(world, count=count)
    finisher = Finisher(pool)
    everything = [row["id"] for row in await world.deliveries(notification)]
    sent: list[Any] = []
    rng = random.Random(7)

    async def claimer() -> None:
        while True:
            async with pool.connection() as connection:
                seen, items = await claim(connection, channel="email", limit=9, lease_seconds=60, max_claims=5)
            for item in items:
                await finisher.write(finish(item, SENT))
                sent.append(item.delivery_id)
            if not seen:
                return

    async def canceller() -> None:
        for _ in range(20):
            await in_thread(cancel, Delivery.objects.filter(id__in=rng.sample(everything, 9)))

    async def expirer() -> None:
        for _ in range(20):
            async with pool.connection() as connection:
                await connection.execute(
                    "UPDATE delivery_delivery SET expires_at = now() - interval '1 second'"
                    " WHERE id = ANY(%s) AND state = 'queued'",
                    (rng.sample(everything, 3),),
                )

    await asyncio.gather(claimer(), canceller(), expirer(), claimer(), canceller())
    await claimer()
    rows = {row["id"]: row for row in await world.deliveries(notification)}
    told = Counter(row["data"]["delivery_id"] for row in await recorded(world))
    assert told == Counter(str(row) for row in rows)
    assert {row["data"]["delivery_id"]: row["data"]["state"] for row in await recorded(world)} == {
        str(row["id"]): row["state"] for row in rows.values()
    }
    assert len(set(sent)) == len(sent)
    assert set(sent) == {row["id"] for row in rows.values() if row["state"] == State.SENT}

"""Recording: every end of a delivery or notification is told in the transaction that brings it about, or not at all."""

import asyncio
from typing import Any

from psycopg import AsyncConnection, Rollback
from psycopg_pool import AsyncConnectionPool

from delivery import in_app
from delivery.conf import DeliveryConf
from delivery.finishes import Finisher
from delivery.retries import Verdict
from delivery.route import route
from delivery.services import cancel_notification
from delivery.states import State
from delivery.status_events import record
from notifications.database import connect
from notifications.executor import in_thread
from notifications.ids import new_uuid
from notifications.intake.writer import Connection
from tests.delivery.status_events.listening import dispatches, facts, listen, recorded, types_recorded
from tests.delivery.test_claims import MAX_CLAIMS, queued, take
from tests.delivery.test_finishes import RETRY, SENT, finish
from tests.delivery.world import World, unheard

Pool = AsyncConnectionPool[AsyncConnection[Any]]


async def test_who_does_not_listen_costs_no_row(world: World, pool: Pool) -> None:
    await queued(world)
    _, (item,) = await take(world.connection)
    await Finisher(pool).write(finish(item, SENT))
    assert await recorded(world) == []


async def test_a_finish_is_told_with_all_that_a_caller_needs(world: World, pool: Pool) -> None:
    await listen(world)
    notification = await queued(world)
    _, (item,) = await take(world.connection)
    await Finisher(pool).write(finish(item, SENT))
    routed, sent = await recorded(world)
    assert (routed["type"], sent["type"]) == ("notification.routed", "delivery.sent")
    assert facts(sent) == {
        "delivery_id": str(item.delivery_id),
        "notification_id": str(notification),
        "channel": "email",
        "endpoint_id": None,
        "state": "sent",
        "reason": "accepted",
        "attempt_count": 1,
    }
    (recipient,) = await world.rows("SELECT id FROM notifications_recipient")
    assert sent["recipient_id"] == recipient["id"]
    told = await dispatches(world)
    assert [row["state"] for row in told] == ["pending", "pending"]


async def test_ids_sort_by_time_as_those_made_elsewhere(world: World) -> None:
    await listen(world)
    before = new_uuid()
    await record(world.connection, [(world.project_id, "delivery.sent", {})])
    await asyncio.sleep(0.005)
    after = new_uuid()
    (row,) = await recorded(world)
    assert row["id"].version == 7
    assert before < row["id"] < after


async def test_a_retry_and_a_late_outcome_are_no_news(world: World, pool: Pool) -> None:
    await listen(world, types=("delivery.sent", "delivery.failed"))
    await queued(world)
    _, (slow,) = await take(world.connection)
    await world.end_leases()
    _, (quick,) = await take(world.connection)
    await Finisher(pool).write(finish(slow, Verdict(State.FAILED, "gone", "gone")))
    await Finisher(pool).write(finish(quick, RETRY))
    assert await recorded(world) == []


async def test_a_dead_transaction_tells_nothing(world: World, other: Connection) -> None:
    await listen(world)
    async with other.transaction():
        await record(other, [(world.project_id, "delivery.sent", {})])
        raise Rollback
    assert await recorded(world) == []


async def test_every_end_before_an_attempt_is_told(world: World) -> None:
    await listen(world)
    expired = await queued(world, expires_at="2099-01-01T00:00:00Z")
    await world.connection.execute("UPDATE delivery_delivery SET expires_at = now() - interval '1 second'")
    await take(world.connection)
    await queued(world)
    for _ in range(MAX_CLAIMS + 1):
        await take(world.connection)
        await world.end_leases()
    unreachable = await world.accept(["nobody"], ["email"])
    await route(world.connection, DeliveryConf(), unheard)
    stored = await world.accept(["u1"])
    await route(world.connection, DeliveryConf(), unheard)
    await in_app.deliver(world.connection, limit=10)
    told = {
        (row["type"], row["data"].get("reason"))
        for row in await recorded(world)
        if row["type"] != "notification.routed"
    }
    assert told == {
        ("delivery.expired", "expires_at_passed"),
        ("delivery.failed", "poison"),
        ("delivery.failed", "no_email"),
        ("delivery.delivered", "stored_in_inbox"),
    }
    assert {row["data"]["notification_id"] for row in await recorded(world)} >= {
        str(expired),
        str(unreachable),
        str(stored),
    }


async def test_routing_the_same_again_tells_nothing_twice(world: World) -> None:
    await listen(world, types=("delivery.failed",))
    notification = await world.accept(["nobody"], ["email"])
    await route(world.connection, DeliveryConf(), unheard)
    await world.connection.execute(
        "UPDATE notifications_notification SET status = 'accepted', available_at = now() WHERE id = %s", (notification,)
    )
    await route(world.connection, DeliveryConf(), unheard)
    assert await types_recorded(world) == ["delivery.failed"]


async def test_what_never_was_routed_is_told(world: World) -> None:
    await listen(world)
    await world.accept(["u1"], expires_at="2099-01-01T00:00:00Z")
    await world.connection.execute("UPDATE notifications_notification SET expires_at = now() - interval '1 second'")
    await route(world.connection, DeliveryConf(), unheard)
    cancelled = await world.accept(["u1"])
    await in_thread(cancel_notification, notification_id=cancelled)
    assert await types_recorded(world) == ["notification.cancelled", "notification.expired"]


async def test_cancelling_is_told_once_for_each_delivery(world: World) -> None:
    await listen(world, types=("delivery.cancelled",))
    notification = await queued(world, count=3)
    assert await in_thread(cancel_notification, notification_id=notification) == 3
    assert await in_thread(cancel_notification, notification_id=notification) == 0
    assert await types_recorded(world) == ["delivery.cancelled"] * 3


async def test_an_endpoint_hears_of_the_types_it_asked_for_and_only_of_its_project(world: World) -> None:
    all_types = await listen(world, key="all")
    some = await listen(world, key="some", types=("delivery.failed", "delivery.expired"))
    silent = await listen(world, key="silent")
    await world.connection.execute("UPDATE delivery_eventendpoint SET state = 'disabled' WHERE id = %s", (silent,))
    stranger = new_uuid()
    await world.connection.execute("INSERT INTO notifications_project (id, name) VALUES (%s, 'stranger')", (stranger,))
    await record(
        world.connection,
        [
            (world.project_id, "delivery.sent", {"delivery_id": new_uuid()}),
            (world.project_id, "delivery.failed", {"delivery_id": new_uuid()}),
            (stranger, "delivery.failed", {"delivery_id": new_uuid()}),
        ],
    )
    assert await types_recorded(world) == ["delivery.failed", "delivery.sent"]
    assert sorted(row["type"] for row in await dispatches(world, all_types)) == ["delivery.failed", "delivery.sent"]
    assert [row["type"] for row in await dispatches(world, some)] == ["delivery.failed"]
    assert await dispatches(world, silent) == []


async def test_gone_tells_of_the_endpoint(world: World, pool: Pool) -> None:
    await listen(world, types=("endpoint.disabled",))
    await queued(world)
    (recipient,) = await world.rows("SELECT id FROM notifications_recipient")
    endpoint = await world.add_endpoint(recipient["id"], "https://example.com/hook")
    _, (item,) = await take(world.connection)
    gone = Verdict(State.FAILED, "gone", "gone", disable_endpoint=True)
    await Finisher(pool).write(finish(item, gone, endpoint_id=endpoint))
    (row,) = await recorded(world)
    assert row["recipient_id"] == recipient["id"]
    assert row["data"] == {"endpoint_id": str(endpoint), "channel": "webhook", "reason": "gone"}


async def test_a_claim_that_is_cut_off_tells_nothing(world: World) -> None:
    """The connection dies after the statement and before its commit: neither the end nor the event is there."""
    await listen(world, types=("delivery.expired",))
    await queued(world, expires_at="2099-01-01T00:00:00Z")
    await world.connection.execute("UPDATE delivery_delivery SET expires_at = now() - interval '1 second'")
    victim = await connect()
    await victim.execute("BEGIN")
    await take(victim)
    await victim.close()
    assert await recorded(world) == []
    await take(world.connection)
    assert await types_recorded(world) == ["delivery.expired"]

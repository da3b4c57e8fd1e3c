"""The lane of status events against a real receiver: what is posted, how often, and that it stays out of everybody's way."""

import asyncio
import json
from dataclasses import replace

from standardwebhooks.webhooks import Webhook

from delivery.status_events import record
from notifications import ids
from tests.delivery.status_events.listening import dispatches, listen, recorded
from tests.delivery.test_engine import CONF, arrived, running
from tests.delivery.world import SECRET, Row, World, until
from tests.fixtures.receivers import Answer, HttpReceiver

STATUS = replace(CONF, event_retry_seconds=(0.1, 0.1))
HANGS = 20.0


async def told(world: World, *states: str) -> list[Row]:
    """The dispatches once there are some and all are in one of these states."""

    async def reached() -> list[Row] | None:
        rows = await dispatches(world)
        return rows if rows and all(row["state"] in states for row in rows) else None

    return await until(reached, what=f"dispatches in {states}")


async def test_what_is_posted_is_a_standard_webhook(world: World, http_receiver: HttpReceiver) -> None:
    await listen(world, http_receiver.url + "/status", types=("delivery.delivered",))
    async with running(STATUS):
        notification = await world.accept(["u1"])
        (call,) = await arrived(http_receiver, "/status", 1)
        (row,) = await told(world, "delivered")
    (event,) = await recorded(world)
    (delivery,) = await world.deliveries()
    assert call.headers["webhook-id"] == ids.encode("evt", event["id"])
    said = Webhook(SECRET).verify(call.body, dict(call.headers))
    assert said["type"] == "delivery.delivered"
    finished_at = said["data"].pop("finished_at")
    assert finished_at.endswith("Z")
    assert said["data"] == {
        "delivery_id": ids.encode("dlv", delivery["id"]),
        "notification_id": ids.encode("ntf", notification),
        "recipient": "u1",
        "channel": "in_app",
        "endpoint": None,
        "state": "delivered",
        "reason": "stored_in_inbox",
        "attempt_count": 1,
    }
    assert (row["attempt_count"], row["outcome"], row["response"]["status"]) == (1, "accepted", 200)


async def test_a_failing_callback_is_tried_again_with_the_same_id_and_body(
    world: World, http_receiver: HttpReceiver
) -> None:
    http_receiver.answer("/status", Answer(500), Answer(503), Answer(200))
    await listen(world, http_receiver.url + "/status")
    async with running(STATUS):
        await record(world.connection, [(world.project_id, "delivery.sent", {"delivery_id": ids.new_uuid()})])
        calls = await arrived(http_receiver, "/status", 3)
        (row,) = await told(world, "delivered", "failed")
    assert (row["state"], row["attempt_count"]) == ("delivered", 3)
    assert len({(call.headers["webhook-id"], call.body) for call in calls}) == 1


async def test_used_up_retries_end_as_failed(world: World, http_receiver: HttpReceiver) -> None:
    http_receiver.answer("/status", Answer(500))
    await listen(world, http_receiver.url + "/status")
    async with running(STATUS):
        await record(world.connection, [(world.project_id, "delivery.sent", {})])
        (row,) = await told(world, "delivered", "failed")
    assert (row["state"], row["outcome"], row["attempt_count"]) == ("failed", "http_500", 3)


async def test_gone_disables_it_and_nothing_more_is_recorded(world: World, http_receiver: HttpReceiver) -> None:
    http_receiver.answer("/status", Answer(410))
    await listen(world, http_receiver.url + "/status")
    async with running(STATUS):
        await record(world.connection, [(world.project_id, "delivery.sent", {})])
        (row,) = await told(world, "failed", "delivered")
    assert row["outcome"] == "gone"
    (endpoint,) = await world.rows("SELECT state, disabled_reason FROM delivery_eventendpoint")
    assert endpoint == {"state": "disabled", "disabled_reason": "gone"}
    await record(world.connection, [(world.project_id, "delivery.sent", {})])
    assert len(await recorded(world)) == 1


async def test_no_callback_goes_to_an_address_that_is_not_allowed(world: World) -> None:
    await listen(world, "http://169.254.169.254/latest/meta-data")
    async with running(STATUS):
        await record(world.connection, [(world.project_id, "delivery.sent", {})])
        (row,) = await told(world, "failed", "delivered")
    assert (row["state"], row["outcome"]) == ("failed", "forbidden_address")


async def test_callbacks_that_hang_hold_up_neither_deliveries_nor_other_callbacks(
    world: World, http_receiver: HttpReceiver
) -> None:
    """Twenty seconds each, more of them than there are places; everything else is done before the first has ended."""
    http_receiver.answer("/hangs", Answer(delay_seconds=HANGS))
    hanging = await listen(world, http_receiver.url + "/hangs", key="hangs")
    quick = await listen(
        world, http_receiver.url + "/quick", key="quick", types=("delivery.sent", "delivery.delivered")
    )
    (recipient,) = await world.add_recipients("u1")
    await world.add_endpoint(recipient, http_receiver.url + "/hook")
    conf = replace(STATUS, drain_seconds=0.5)
    async with running(conf):
        await world.accept_many([["u1"]] * 10, ["in_app", "webhook"])
        await arrived(http_receiver, "/hangs", conf.event_in_flight_per_endpoint)
        await world.accept_many([["u1"]] * 10, ["in_app", "webhook"])
        await arrived(http_receiver, "/quick", 40)
        rows = await world.wait_for_states(None, "sent", "delivered")
        stuck = await dispatches(world, hanging)
        # None of the hanging ones has been answered so far.
        assert {row["state"] for row in stuck} == {"pending"}
        assert len(http_receiver.calls.all(lambda call: call.path == "/hangs")) == conf.event_in_flight_per_endpoint
    assert len(rows) == 40
    assert {row["state"] for row in await dispatches(world, quick)} <= {"delivered", "pending"}
    ids_told = [call.headers["webhook-id"] for call in http_receiver.calls.all(lambda call: call.path == "/quick")]
    assert len(set(ids_told)) == len(ids_told) == 40


async def test_what_was_under_way_at_a_crash_is_told_again_when_its_lease_ends(
    world: World, http_receiver: HttpReceiver
) -> None:
    http_receiver.answer("/status", Answer(delay_seconds=HANGS), Answer(200))
    await listen(world, http_receiver.url + "/status")
    async with running(replace(STATUS, drain_seconds=0.1)):
        await record(world.connection, [(world.project_id, "delivery.sent", {})])
        await arrived(http_receiver, "/status", 1)
    (row,) = await dispatches(world)
    assert (row["state"], row["attempt_count"]) == ("pending", 1)
    await world.connection.execute("UPDATE delivery_statusdispatch SET available_at = now()")
    async with running(STATUS):
        first, second = await arrived(http_receiver, "/status", 2)
        await told(world, "delivered")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_two_processes_tell_each_event_once(world: World, http_receiver: HttpReceiver) -> None:
    await listen(world, http_receiver.url + "/status")
    async with running(STATUS), running(STATUS):
        events = [(world.project_id, "delivery.sent", {"attempt_count": n}) for n in range(200)]
        await record(world.connection, events)
        await told(world, "delivered")
    calls = http_receiver.calls.all()
    assert sorted(json.loads(call.body)["data"]["attempt_count"] for call in calls) == list(range(200))


async def test_old_events_are_forgotten_with_what_was_tried(world: World) -> None:
    await listen(world)
    await record(world.connection, [(world.project_id, "delivery.sent", {}) for _ in range(3)])
    await world.connection.execute(
        "UPDATE delivery_statusevent SET created_at = now() - interval '15 days'"
        " WHERE id IN (SELECT id FROM delivery_statusevent LIMIT 2)"
    )
    async with running(replace(STATUS, transports=CONF.transports)):

        async def forgotten() -> bool:
            return len(await recorded(world)) == 1

        await until(forgotten, what="two events to be forgotten")
        await asyncio.sleep(0)
    assert len(await dispatches(world)) == 1

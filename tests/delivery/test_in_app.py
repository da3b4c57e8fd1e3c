"""The in-app channel: offsets, messages and outcomes in one transaction."""

import asyncio
from collections import Counter
from uuid import UUID

import psycopg
import pytest

from delivery import in_app
from delivery.conf import DeliveryConf
from delivery.route import route
from notifications.database import connect
from notifications.inbox.changes import apply_action
from notifications.intake.writer import Connection
from tests.delivery.world import World, unheard


async def queued(world: World, *recipients: list[str]) -> list[UUID]:
    """One notification per list of recipients, routed."""
    notifications = await world.accept_many(list(recipients))
    while await route(world.connection, DeliveryConf(), unheard):
        pass
    return notifications


async def deliver_all(connection: Connection, limit: int = 50) -> int:
    """Until nothing is due; how many live events there were to push."""
    pushed = 0
    while True:
        count, events = await in_app.deliver(connection, limit=limit)
        pushed += len(events)
        if not count:
            return pushed


async def test_a_delivery_becomes_a_message_with_its_log_entry_and_attempt(world: World) -> None:
    (notification,) = await queued(world, ["u1"])
    count, (event,) = await in_app.deliver(world.connection, limit=10)
    assert count == 1
    row = await world.delivery(notification)
    assert (row["state"], row["reason"], row["attempt_count"]) == ("delivered", "stored_in_inbox", 1)
    (attempt,) = await world.attempts(row["id"])
    assert (attempt["outcome"], attempt["applied"]) == ("stored_in_inbox", True)
    (message,) = await world.rows("SELECT * FROM notifications_inboxmessage")
    assert (message["title"], message["body"], message["delivery_id"], message["offset"]) == (
        "Hi",
        "there",
        row["id"],
        1,
    )
    assert (event["offset"], event["event"], event["counts"]) == (1, "message.created", {"unread": 1, "unseen": 1})
    assert event["recipient"] == row["recipient_id"].hex


async def test_several_for_one_inbox_in_one_batch_count_up(world: World) -> None:
    await queued(world, ["u1"], ["u1"], ["u1"])
    _, events = await in_app.deliver(world.connection, limit=10)
    assert [(event["offset"], event["counts"]["unread"]) for event in events] == [(1, 1), (2, 2), (3, 3)]


async def test_writers_at_once_leave_no_gap_and_no_double(world: World) -> None:
    notifications = await queued(world, *([f"u{n % 3}", f"u{(n + 1) % 3}"] for n in range(200)))
    members = await world.rows("SELECT id FROM notifications_recipient")

    async def writer() -> int:
        async with await connect() as connection:
            return await deliver_all(connection, limit=7)

    async def reader() -> None:
        async with await connect() as connection:
            for member in members * 10:
                if await world.rows("SELECT FROM notifications_inbox WHERE recipient_id = %s", member["id"]):
                    await apply_action(connection, recipient_pk=member["id"], action="read_all", message_ids=None)

    pushed = await asyncio.gather(writer(), writer(), writer(), reader())
    assert sum(count or 0 for count in pushed) == 2 * len(notifications)
    messages = await world.rows("SELECT delivery_id FROM notifications_inboxmessage")
    assert len(messages) == len({row["delivery_id"] for row in messages}) == 2 * len(notifications)


async def test_a_crash_before_the_commit_leaves_nothing_and_the_next_does_all(world: World, other: Connection) -> None:
    (notification,) = await queued(world, ["u1", "u2"])
    (member,) = await world.rows("SELECT id FROM notifications_recipient WHERE external_id = 'u2'")
    writer = await connect()
    async with other.transaction(force_rollback=True):
        # Somebody else is at u2's inbox: the writer waits there with u1's message already written.
        await other.execute(
            'INSERT INTO notifications_inbox (recipient_id, epoch, "offset", unread, unseen)'
            " VALUES (%s, gen_random_uuid(), 0, 0, 0)",
            (member["id"],),
        )
        writing = asyncio.create_task(in_app.deliver(writer, limit=10))
        await world.wait_for_lock(writer.info.backend_pid)
        await world.connection.execute("SELECT pg_terminate_backend(%s)", (writer.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            await writing
    assert await world.rows("SELECT FROM notifications_inboxmessage") == []
    assert await deliver_all(world.connection) == 2
    assert {row["state"] for row in await world.deliveries(notification)} == {"delivered"}


async def test_a_row_that_the_database_refuses_harms_only_itself(world: World) -> None:
    before, bad, after = await queued(world, ["u1"], ["u1", "u2"], ["u1"])
    await world.connection.execute(
        "UPDATE notifications_notification SET content = content || jsonb_build_object('action_url', repeat('x', 3000))"
        " WHERE id = %s",
        (bad,),
    )
    assert await deliver_all(world.connection) == 2
    states = {
        item: Counter((row["state"], row["reason"]) for row in await world.deliveries(item))
        for item in (before, bad, after)
    }
    assert states[before] == states[after] == {("delivered", "stored_in_inbox"): 1}
    assert states[bad] == {("failed", "refused_by_database"): 2}


async def test_an_erased_recipient_fails_and_the_others_get_theirs(world: World) -> None:
    (notification,) = await queued(world, ["u1", "gone", "u2"])
    await world.connection.execute("DELETE FROM notifications_recipient WHERE external_id = 'gone'")
    assert await deliver_all(world.connection) == 2
    found = {row["recipient"]: row["reason"] for row in await world.deliveries(notification)}
    assert found == {"u1": "stored_in_inbox", None: "recipient_erased", "u2": "stored_in_inbox"}


async def test_a_recipient_erased_at_that_very_moment_harms_nobody_else(world: World, other: Connection) -> None:
    (notification,) = await queued(world, ["u1", "gone", "u2"])
    async with await connect() as writer:
        async with other.transaction():
            await other.execute("DELETE FROM notifications_recipient WHERE external_id = 'gone'")
            # The writer still sees the row; only its commit finds out.
            writing = asyncio.create_task(deliver_all(writer))
            await world.wait_for_lock(writer.info.backend_pid)
        assert await writing == 2
    found = {row["recipient"]: row["reason"] for row in await world.deliveries(notification)}
    assert found == {"u1": "stored_in_inbox", None: "recipient_erased", "u2": "stored_in_inbox"}


async def test_a_delivery_whose_notification_is_gone_fails_and_the_others_go_on(world: World) -> None:
    lost, kept = await queued(world, ["u1"], ["u1"])
    await world.connection.execute("DELETE FROM notifications_notification WHERE id = %s", (lost,))
    assert await deliver_all(world.connection) == 1
    assert (await world.delivery(lost))["reason"] == "notification_erased"
    assert (await world.delivery(kept))["state"] == "delivered"


async def test_a_delivery_past_its_time_expires_without_an_attempt(world: World) -> None:
    (notification,) = await queued(world, ["u1"])
    await world.connection.execute("UPDATE delivery_delivery SET expires_at = now() - interval '1 second'")
    assert await deliver_all(world.connection) == 0
    row = await world.delivery(notification)
    assert (row["state"], row["reason"], row["attempt_count"]) == ("expired", "expires_at_passed", 0)


async def test_who_acknowledges_the_message_acknowledges_its_notification(world: World) -> None:
    notification, other = await queued(world, ["u1", "u2"], ["u1"])
    await deliver_all(world.connection)
    rows = await world.rows(
        "SELECT id, recipient_id, notification_id FROM notifications_inboxmessage ORDER BY notification_id, recipient_id"
    )
    assert {row["notification_id"] for row in rows} == {notification, other}
    for row in rows[:2]:
        await apply_action(
            world.connection, recipient_pk=row["recipient_id"], action="acknowledge", message_ids=[row["id"]]
        )
    (first,) = await world.rows(
        "SELECT external_id FROM notifications_recipient WHERE id = %s", rows[0]["recipient_id"]
    )
    found = await world.rows(
        "SELECT acknowledged_at IS NULL AS open, acknowledged_by FROM notifications_notification ORDER BY id"
    )
    assert found == [{"open": False, "acknowledged_by": first["external_id"]}, {"open": True, "acknowledged_by": None}]

"""What ended long ago goes as a whole; what is open, young or in somebody's inbox stays, and the laws hold throughout."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from delivery import in_app, retention
from delivery.conf import DeliveryConf
from delivery.laws import SINCE_EVER
from delivery.retention import forget_history
from delivery.route import route
from notifications.clock import running_by, utc_now
from notifications.executor import in_thread
from tests.delivery.world import World, unheard

DAYS = 90


@pytest.fixture
def much_later() -> Iterator[None]:
    """Whatever is in the database is 91 days old."""
    late = utc_now() + timedelta(days=DAYS + 1)
    with running_by(lambda: late):
        yield


async def forget(looks: int = 100, after: UUID = SINCE_EVER) -> tuple[int, UUID]:
    return await in_thread(lambda: forget_history(days=DAYS, looks=looks, after=after))


async def ended(world: World, *names: str) -> list[UUID]:
    """Notifications whose only delivery has failed: nobody has an address."""
    made = await world.accept_many([[name] for name in names], ["email"])
    await route(world.connection, DeliveryConf(), unheard)
    return made


async def left(world: World) -> list[UUID]:
    return [row["id"] for row in await world.rows("SELECT id FROM notifications_notification ORDER BY id")]


async def test_what_ended_lately_stays(world: World) -> None:
    made = await ended(world, "u1", "u2")
    assert (await forget())[0] == 0
    assert await left(world) == sorted(made)


async def test_what_ended_long_ago_goes_with_all_that_hangs_on_it(world: World, much_later: None) -> None:
    made = await ended(world, "u1", "u2")
    for delivery in await world.deliveries():
        await world.connection.execute(
            "INSERT INTO delivery_attempt (id, delivery_id, number) VALUES (gen_random_uuid(), %s, 1)",
            (delivery["id"],),
        )
    await world.connection.execute("UPDATE delivery_delivery SET attempt_count = 1")
    assert await forget() == (len(made), SINCE_EVER)
    for table in ("notifications_notification", "delivery_delivery", "delivery_attempt"):
        assert await world.rows(f"SELECT * FROM {table}") == []
    assert await world.rows("SELECT * FROM notifications_recipient") != []  # people are not history


async def test_what_is_open_stays_however_old(world: World, much_later: None) -> None:
    waiting = await world.accept(["u1"], ["email"])  # not routed
    queued = await world.accept([{"id": "u2", "email": "u2@example.com"}], ["email"])
    await route(world.connection, DeliveryConf(), unheard)
    await world.connection.execute(
        "UPDATE notifications_notification SET status = 'accepted', available_at = now() WHERE id = %s", (waiting,)
    )
    await forget()
    assert await left(world) == sorted([waiting, queued])


async def test_what_is_in_an_inbox_stays_until_the_inbox_lets_it_go(world: World, much_later: None) -> None:
    shown = await world.accept(["u1"], ["in_app", "email"])
    await route(world.connection, DeliveryConf(), unheard)
    await in_app.deliver(world.connection, limit=10)
    await forget()
    assert await left(world) == [shown]
    for table in ("inboxevent", "inboxmessage", "inbox"):
        await world.connection.execute(f"DELETE FROM notifications_{table}")
    await forget()
    assert await left(world) == []


async def test_a_replay_that_comes_between_wins(world: World, much_later: None) -> None:
    replayed, gone = await ended(world, "u1", "u2")
    before = utc_now() - timedelta(days=DAYS)
    seen, over = await in_thread(lambda: retention._look(before, SINCE_EVER))
    assert sorted(over) == sorted(seen) == sorted([replayed, gone])
    await world.connection.execute(
        "UPDATE delivery_delivery SET state = 'queued', reason = '', available_at = now(), finished_at = NULL"
        " WHERE notification_id = %s",
        (replayed,),
    )
    assert await in_thread(lambda: retention._forget(over, before)) == 1
    assert await left(world) == [replayed]
    assert [row["state"] for row in await world.deliveries(replayed)] == ["queued"]


async def test_it_goes_in_small_steps_and_goes_on_where_it_was(
    world: World, much_later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_LOOKED_AT_ONCE", 2)
    monkeypatch.setattr(retention, "_DELETED_AT_ONCE", 3)
    made = await ended(world, *(f"u{n}" for n in range(5)))
    large = await world.accept([f"u{n}" for n in range(8)], ["email"])  # more deliveries than fit into one step
    await route(world.connection, DeliveryConf(), unheard)
    gone, after = await forget(looks=1)
    assert (gone, after) == (2, sorted(made)[1])
    assert len(await left(world)) == 4
    gone, after = await forget(after=after)
    assert (gone, after) == (4, SINCE_EVER)
    assert large not in await left(world)
    assert await world.deliveries() == []

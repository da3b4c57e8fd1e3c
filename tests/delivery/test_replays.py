"""Replays: bounded, repeatable, in race with sending; what was sent goes out again under its own id."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from delivery.claims import claim
from delivery.conf import DeliveryConf
from delivery.finishes import Finisher
from delivery.replays import Replayed, replay_endpoint, replay_filtered
from delivery.route import route
from delivery.states import REPLAYABLE, RETRYABLE, State
from notifications.errors import Conflict, NotFound
from notifications.executor import in_thread
from tests.delivery.test_engine import running
from tests.delivery.test_finishes import SENT, finish
from tests.delivery.world import World, unheard, until
from tests.fixtures.receivers import Answer, HttpReceiver

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def endpoint_id(world: World, http_receiver: HttpReceiver) -> UUID:
    """An endpoint of `u1` at the receiver's /hook."""
    (recipient,) = await world.add_recipients("u1")
    return await world.add_endpoint(recipient, http_receiver.url + "/hook")


async def done(world: World, count: int) -> None:
    """Wait until there are so many deliveries and all have ended."""

    async def ended() -> bool:
        rows = await world.deliveries()
        return len(rows) == count and all(row["state"] in ("sent", "failed") for row in rows)

    await until(ended, what=f"{count} deliveries to end")


async def send_all(world: World, count: int) -> None:
    """So many webhooks, all through."""
    await world.accept_many([["u1"]] * count, ["webhook"])
    async with running():
        await done(world, count)


async def replay(world: World, endpoint_id: UUID, **options: Any) -> Replayed:
    wanted = {"since": options.pop("since", LONG_AGO)}
    return await in_thread(
        replay_endpoint,
        project_id=world.project_id,
        external_id="u1",
        endpoint_id=endpoint_id,
        wanted=wanted,
        **options,
    )


async def states(world: World) -> list[str]:
    return [row["state"] for row in await world.deliveries()]


async def test_what_was_sent_goes_out_again_under_its_own_id(
    world: World, endpoint_id: UUID, http_receiver: HttpReceiver
) -> None:
    await send_all(world, 3)
    assert await replay(world, endpoint_id) == Replayed(0, None)  # nothing failed
    assert await replay(world, endpoint_id, states=[State.SENT]) == Replayed(3, None)
    assert await states(world) == ["queued"] * 3
    assert await replay(world, endpoint_id, states=[State.SENT]) == Replayed(0, None)  # on its way already
    async with running():
        await world.wait_for_states(None, "sent")
    ids = [call.headers["webhook-id"] for call in http_receiver.calls.all()]
    assert len(ids) == 6
    assert sorted(ids[:3]) == sorted(ids[3:])
    assert {row["attempt_count"] for row in await world.deliveries()} == {2}


async def test_a_large_replay_is_walked_in_batches(world: World, endpoint_id: UUID) -> None:
    await send_all(world, 5)
    rows = [row["id"] for row in await world.deliveries()]
    first = await replay(world, endpoint_id, states=REPLAYABLE, limit=2)
    assert first == Replayed(2, rows[1])
    assert await states(world) == ["queued", "queued", "sent", "sent", "sent"]
    async with running():  # the first ones are through before the walk goes on, and are not taken twice
        await world.wait_for_states(None, "sent")
    second = await replay(world, endpoint_id, states=REPLAYABLE, limit=2, after=first.after)
    third = await replay(world, endpoint_id, states=REPLAYABLE, limit=2, after=second.after)
    assert (second, third) == (Replayed(2, rows[3]), Replayed(1, None))
    assert await states(world) == ["sent", "sent", "queued", "queued", "queued"]


async def test_an_outcome_that_comes_after_the_replay_changes_nothing(
    world: World, endpoint_id: UUID, pool: Any
) -> None:
    """A stuck attempt of a lost lease, then a good one, then the replay: the stuck one's outcome is noted, not applied."""
    notification = await world.accept(["u1"], ["webhook"])
    while await route(world.connection, DeliveryConf(), unheard):
        pass
    options: dict[str, Any] = {"channel": "webhook", "limit": 10, "lease_seconds": 60, "max_claims": 5}
    _, (stuck,) = await claim(world.connection, **options)
    await world.end_leases()
    _, (quick,) = await claim(world.connection, **options)
    finisher = Finisher(pool)
    await finisher.write(finish(quick, SENT))
    assert (await replay(world, endpoint_id, states=[State.SENT])).count == 1
    await finisher.write(finish(stuck, SENT))
    row = await world.delivery(notification)
    assert (row["state"], row["finished_at"]) == ("queued", None)
    assert [attempt["applied"] for attempt in await world.attempts(row["id"])] == [False, True]


async def test_many_replays_at_once_queue_everything_once(world: World, endpoint_id: UUID) -> None:
    await send_all(world, 40)
    done = await asyncio.gather(*(replay(world, endpoint_id, states=REPLAYABLE) for _ in range(6)))
    assert sorted(item.count for item in done) == [0, 0, 0, 0, 0, 40]


async def test_what_is_being_sent_is_left_alone(world: World, endpoint_id: UUID, http_receiver: HttpReceiver) -> None:
    http_receiver.answer("/hook", Answer(delay_seconds=1.0))
    async with running():
        notification = await world.accept(["u1"], ["webhook"])
        await asyncio.to_thread(http_receiver.calls_to, "/hook", 1)
        assert await replay(world, endpoint_id, states=REPLAYABLE) == Replayed(0, None)
        (row,) = await world.wait_for_states(notification, "sent", "failed")
    assert (row["state"], row["attempt_count"]) == ("sent", 1)


async def test_replays_racing_with_sending_lose_and_invent_nothing(
    world: World, endpoint_id: UUID, http_receiver: HttpReceiver
) -> None:
    """Again and again while it is all on its way: every queued row is sent once more, no more and no less."""
    queued = 0
    async with running():
        await world.accept_many([["u1"]] * 60, ["webhook"])
        for _ in range(15):
            queued += (await replay(world, endpoint_id, states=REPLAYABLE)).count
            await asyncio.sleep(0.02)
        await done(world, 60)
    rows = await world.deliveries()
    assert queued > 0
    assert sum(row["attempt_count"] for row in rows) == 60 + queued == len(http_receiver.calls.all())
    assert len({call.headers["webhook-id"] for call in http_receiver.calls.all()}) == 60


async def test_an_old_delivery_gets_its_whole_schedule(
    world: World, endpoint_id: UUID, http_receiver: HttpReceiver
) -> None:
    http_receiver.answer("/hook", Answer(500))
    await send_all(world, 1)
    week_ago = datetime.now(UTC) - timedelta(days=7)
    await world.connection.execute("UPDATE delivery_delivery SET created_at = %s", (week_ago,))
    assert (await replay(world, endpoint_id)).count == 1
    async with running():
        (row,) = await world.wait_for_states(None, "failed")
    assert (row["reason"], row["attempt_count"]) == ("http_500", 6)  # three and three, not `retried_too_long`


async def test_bounds_and_whose_it_is(world: World, endpoint_id: UUID) -> None:
    await send_all(world, 2)
    later = datetime.now(UTC) + timedelta(minutes=5)
    assert (await replay(world, endpoint_id, since=later, states=REPLAYABLE)).count == 0
    other = UUID(int=7)
    with pytest.raises(NotFound):
        await replay(world, other)
    done = await in_thread(
        replay_filtered, project_id=other, wanted={"endpoint": endpoint_id, "since": LONG_AGO}, states=REPLAYABLE
    )
    assert done.count == 0
    await world.connection.execute("UPDATE notifications_endpoint SET state = 'disabled'")
    with pytest.raises(Conflict):
        await replay(world, endpoint_id)
    assert await states(world) == ["sent", "sent"]


@pytest.mark.parametrize("state", sorted(set(State) - RETRYABLE))
async def test_other_states_are_not_touched(world: World, endpoint_id: UUID, state: State) -> None:
    """Even when the caller's list of states is wrong, an open row stays as it is; the laws look after the test."""
    await send_all(world, 1)
    await world.connection.execute(
        "UPDATE delivery_delivery SET state = %(state)s::text, lease_token = CASE WHEN %(state)s::text = 'sending' THEN id END,"
        " available_at = CASE WHEN %(open)s THEN now() END, finished_at = CASE WHEN NOT %(open)s THEN now() END",
        {"state": str(state), "open": state in {State.SCHEDULED, State.QUEUED, State.SENDING, State.RETRYING}},
    )
    assert (await replay(world, endpoint_id)).count == 0
    await replay(world, endpoint_id, states=[state])
    assert await states(world) == ["queued" if state == State.SENT else str(state)]

"""Finishes: outcomes in groups, fenced by their tokens."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from delivery import metrics
from delivery.claims import Claim
from delivery.finish import Finish
from delivery.finishes import Finisher
from delivery.retries import Verdict
from delivery.states import State
from notifications.database import make_pool
from tests.delivery.test_claims import queued, take
from tests.delivery.world import World

Pool = AsyncConnectionPool[AsyncConnection[Any]]

SENT = Verdict(State.SENT, "accepted", "accepted")
RETRY = Verdict(State.RETRYING, "http_500", "http_500", delay_seconds=300.0, retry_step=1)


def finish(item: Claim, verdict: Verdict, **more: Any) -> Finish:
    values: dict[str, Any] = {"endpoint_id": None, "duration_ms": 12, "response": {"status": 200}, **more}
    return Finish(delivery_id=item.delivery_id, token=item.token, channel="email", verdict=verdict, **values)


@pytest.fixture
async def finisher(pool: Pool) -> AsyncIterator[Finisher]:
    return Finisher(pool)


async def test_an_outcome_is_written_to_delivery_and_attempt(world: World, finisher: Finisher) -> None:
    notification = await queued(world)
    _, (item,) = await take(world.connection)
    await finisher.write(finish(item, SENT))
    row = await world.delivery(notification)
    assert (row["state"], row["reason"], row["claims"], row["available_at"]) == ("sent", "accepted", 0, None)
    (attempt,) = await world.attempts(item.delivery_id)
    assert (attempt["outcome"], attempt["duration_ms"], attempt["applied"]) == ("accepted", 12, True)
    assert attempt["response"] == {"status": 200}


async def test_a_retry_waits_for_its_time_by_the_databases_clock(world: World, finisher: Finisher) -> None:
    notification = await queued(world)
    _, (item,) = await take(world.connection)
    await finisher.write(finish(item, RETRY))
    row = await world.delivery(notification)
    assert (row["state"], row["retry_step"], row["lease_token"]) == ("retrying", 1, None)
    (waits,) = await world.rows("SELECT available_at - now() > interval '290 s' AS long FROM delivery_delivery")
    assert waits["long"]
    assert await take(world.connection) == (0, [])


async def test_a_late_outcome_is_noted_and_changes_nothing(world: World, finisher: Finisher) -> None:
    notification = await queued(world)
    _, (slow,) = await take(world.connection)
    await world.end_leases()
    _, (quick,) = await take(world.connection)
    late_before = metrics.LATE._value.get()

    await finisher.write(finish(slow, RETRY))
    row = await world.delivery(notification)
    assert (row["state"], row["lease_token"]) == ("sending", quick.token)
    await finisher.write(finish(quick, SENT))
    assert (await world.delivery(notification))["state"] == "sent"
    first, second = await world.attempts(slow.delivery_id)
    assert (first["outcome"], first["applied"]) == ("http_500", False)
    assert (second["outcome"], second["applied"]) == ("accepted", True)
    assert metrics.LATE._value.get() - late_before == 1


async def test_a_finish_written_again_because_its_answer_was_lost_stays_applied(
    world: World, finisher: Finisher
) -> None:
    notification = await queued(world)
    _, (item,) = await take(world.connection)
    late_before = metrics.LATE._value.get()
    for _ in range(2):
        await finisher.write(finish(item, SENT))
    assert (await world.delivery(notification))["state"] == "sent"
    assert [attempt["applied"] for attempt in await world.attempts(item.delivery_id)] == [True]
    assert metrics.LATE._value.get() == late_before


async def test_late_and_current_in_one_group_are_told_apart(world: World, finisher: Finisher) -> None:
    notification = await queued(world)
    _, (slow,) = await take(world.connection)
    await world.end_leases()
    _, (quick,) = await take(world.connection)
    await asyncio.gather(finisher.write(finish(slow, RETRY)), finisher.write(finish(quick, SENT)))
    assert (await world.delivery(notification))["state"] == "sent"
    assert [attempt["applied"] for attempt in await world.attempts(slow.delivery_id)] == [False, True]


async def test_outcomes_of_hundreds_of_attempts_at_once(world: World, finisher: Finisher) -> None:
    notification = await queued(world, count=700)
    _, claims = await take(world.connection, 700)
    await asyncio.gather(*(finisher.write(finish(item, SENT)) for item in claims))
    assert {row["state"] for row in await world.deliveries(notification)} == {"sent"}


async def test_gone_disables_the_endpoint(world: World, finisher: Finisher) -> None:
    notification = await queued(world)
    (recipient,) = await world.rows("SELECT id FROM notifications_recipient")
    endpoint = await world.add_endpoint(recipient["id"], "https://example.com/hook")
    _, (item,) = await take(world.connection)
    gone = Verdict(State.FAILED, "gone", "gone", disable_endpoint=True)
    await finisher.write(finish(item, gone, endpoint_id=endpoint))
    (row,) = await world.rows("SELECT state, disabled_reason FROM notifications_endpoint")
    assert (row["state"], row["disabled_reason"]) == ("disabled", "gone")
    assert (await world.delivery(notification))["state"] == "failed"


@pytest.mark.parametrize("said", [{"body": "nul \x00"}, {"body": "surrogate \ud800"}, {"body": {1, 2}.__iter__()}])
async def test_what_the_database_refuses_harms_only_its_own_words(
    world: World, finisher: Finisher, said: dict[str, Any]
) -> None:
    notification = await queued(world, count=3)
    _, claims = await take(world.connection)
    good, bad, fine = claims
    await asyncio.gather(
        finisher.write(finish(good, SENT)),
        finisher.write(finish(bad, SENT, response=said)),
        finisher.write(finish(fine, SENT)),
    )
    assert {row["state"] for row in await world.deliveries(notification)} == {"sent"}
    assert [(await world.attempts(item.delivery_id))[0]["response"] for item in claims] == [
        {"status": 200},
        {},
        {"status": 200},
    ]


async def test_a_reason_that_is_too_long_is_cut_and_the_outcome_kept(world: World, finisher: Finisher) -> None:
    notification = await queued(world)
    _, (item,) = await take(world.connection)
    await finisher.write(finish(item, Verdict(State.FAILED, "r" * 90, "o" * 90)))
    row = await world.delivery(notification)
    assert (row["state"], row["reason"]) == ("failed", "r" * 64)


async def test_a_dropped_connection_loses_no_outcome(world: World) -> None:
    notification = await queued(world)
    _, (item,) = await take(world.connection)
    async with make_pool(max_size=1) as pool:
        async with pool.connection() as connection:
            victim = connection.info.backend_pid
        await world.connection.execute("BEGIN")
        await world.connection.execute("SELECT FROM delivery_delivery FOR UPDATE")
        writing = asyncio.create_task(Finisher(pool).write(finish(item, SENT)))
        # The outcome waits for our lock on a connection that then dies under it.
        await world.wait_for_lock(victim)
        await world.connection.execute("SELECT pg_terminate_backend(%s)", (victim,))
        await world.connection.execute("COMMIT")
        await writing
    assert (await world.delivery(notification))["state"] == "sent"

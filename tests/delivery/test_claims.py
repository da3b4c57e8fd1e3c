"""Claims: who may attempt what, and for how long."""

import asyncio
from uuid import UUID

from delivery.claims import Claim, claim
from delivery.conf import DeliveryConf
from delivery.route import route
from notifications.database import connect
from notifications.intake.writer import Connection
from tests.delivery.world import World, unheard

MAX_CLAIMS = 3


async def queued(world: World, *, count: int = 1, **more: str) -> UUID:
    """A notification whose `count` email deliveries wait to be claimed."""
    people = [{"id": f"u{n}", "email": f"u{n}@example.com"} for n in range(count)]
    notification = await world.accept(people, ["email"], **more)
    await route(world.connection, DeliveryConf(), unheard)
    return notification


async def take(connection: Connection, limit: int = 10) -> tuple[int, list[Claim]]:
    return await claim(connection, channel="email", limit=limit, lease_seconds=60, max_claims=MAX_CLAIMS)


async def test_eight_claimers_never_share_a_row(world: World) -> None:
    await queued(world, count=600)

    async def claimer() -> list[UUID]:
        mine: list[UUID] = []
        async with await connect() as connection:
            while (found := await take(connection, 7))[0]:
                mine += [item.delivery_id for item in found[1]]
        return mine

    claimed = [item for mine in await asyncio.gather(*(claimer() for _ in range(8))) for item in mine]
    assert len(claimed) == len(set(claimed)) == 600


async def test_a_claim_says_all_that_an_attempt_needs_and_writes_it_first(world: World) -> None:
    notification = await queued(world)
    seen, (item,) = await take(world.connection)
    assert seen == 1
    assert (item.notification_id, item.attempt, item.recipient, item.email) == (notification, 1, "u0", "u0@example.com")
    row = await world.delivery(notification)
    assert (row["state"], row["lease_token"], row["claims"]) == ("sending", item.token, 1)
    (attempt,) = await world.attempts(item.delivery_id)
    assert (attempt["id"], attempt["number"], attempt["outcome"]) == (item.token, 1, None)


async def test_a_leased_row_is_nobody_elses_until_the_lease_ends(world: World, other: Connection) -> None:
    notification = await queued(world)
    _, (first,) = await take(world.connection)
    assert await take(other) == (0, [])
    await world.end_leases()
    _, (second,) = await take(other)
    assert second.delivery_id == first.delivery_id
    assert second.token != first.token
    assert second.attempt == 2
    assert (await world.delivery(notification))["lease_token"] == second.token


async def test_a_row_locked_by_another_claimer_is_passed_over_not_waited_for(world: World, other: Connection) -> None:
    await queued(world, count=2)
    async with other.transaction():
        _, held = await take(other, 1)
        _, rest = await take(world.connection)
    assert {item.delivery_id for item in held} | {item.delivery_id for item in rest} == {
        row["id"] for row in await world.deliveries()
    }
    assert len(held) == len(rest) == 1


async def test_a_row_claimed_too_often_without_an_outcome_is_poison(world: World) -> None:
    notification = await queued(world)
    for _ in range(MAX_CLAIMS):
        assert (await take(world.connection))[1]
        await world.end_leases()
    assert await take(world.connection) == (1, [])
    row = await world.delivery(notification)
    assert (row["state"], row["reason"], row["attempt_count"]) == ("failed", "poison", MAX_CLAIMS)


async def test_a_row_past_its_time_expires_instead_of_going_out(world: World) -> None:
    notification = await queued(world, expires_at="2099-01-01T00:00:00Z")
    await world.connection.execute("UPDATE delivery_delivery SET expires_at = now() - interval '1 second'")
    assert await take(world.connection) == (1, [])
    row = await world.delivery(notification)
    assert (row["state"], row["reason"], row["attempt_count"]) == ("expired", "expires_at_passed", 0)


async def test_one_channels_claim_leaves_the_others(world: World) -> None:
    await world.accept([{"id": "u1", "email": "u1@example.com"}], ["in_app", "email"])
    await route(world.connection, DeliveryConf(), unheard)
    _, claims = await take(world.connection)
    states = {row["channel"]: row["state"] for row in await world.deliveries()}
    assert len(claims) == 1
    assert states == {"in_app": "queued", "email": "sending"}


async def test_an_erased_recipient_is_a_claim_without_a_name(world: World) -> None:
    await queued(world)
    await world.connection.execute("DELETE FROM notifications_recipient")
    _, (item,) = await take(world.connection)
    assert (item.recipient, item.email) == (None, None)

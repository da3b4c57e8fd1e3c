"""In no window more than the limit, in order, and never the same free place for two."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications import ids
from notifications.database import connect
from notifications.executor import in_thread
from schedules.forgetting import forget_slots
from schedules.slots import Connection, Group, Want, take_joint_slots, take_slots

PROJECT = UUID(int=1)
HOUR = timedelta(hours=1)


@pytest.fixture
async def connection(transactional_db: None) -> AsyncIterator[Connection]:
    async with await connect() as opened:
        yield opened


def want(recipient: UUID, limit: int = 2, *, key: str = "channels:email", **more: Any) -> Want:
    return Want(key, PROJECT, recipient, limit, HOUR.total_seconds(), **more)


async def now_of(connection: Connection) -> datetime:
    row = await (await connection.execute("SELECT now()")).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


async def take(connection: Connection, *wants: Want) -> tuple[datetime, list[datetime]]:
    async with connection.transaction():
        return await now_of(connection), await take_slots(connection, wants)


async def test_what_is_over_the_limit_waits_for_the_window(connection: Connection) -> None:
    ada = ids.new_uuid()
    now, given_out = await take(connection, *[want(ada)] * 5)
    assert given_out == [now, now, now + HOUR, now + HOUR, now + 2 * HOUR]
    _, (later,) = await take(connection, want(ada))
    assert later == now + 2 * HOUR


async def test_recipients_and_keys_are_counted_apart(connection: Connection) -> None:
    ada, bob = ids.new_uuid(), ids.new_uuid()
    now, given_out = await take(
        connection, want(ada, 1), want(bob, 1), want(ada, 1, key="categories:news"), want(bob, 1)
    )
    assert given_out == [now, now, now, now + HOUR]


async def test_nothing_is_asked_for_nothing(connection: Connection) -> None:
    assert await take_slots(connection, []) == []


async def test_without_putting_off_nothing_is_taken(connection: Connection) -> None:
    ada = ids.new_uuid()
    now, given_out = await take(connection, want(ada, 1), *[want(ada, 1, defer=False)] * 2, want(ada, 1))
    assert given_out == [now, now + HOUR, now + HOUR, now + HOUR]


async def test_a_rolled_back_place_was_never_taken(connection: Connection) -> None:
    ada = ids.new_uuid()
    async with connection.transaction(force_rollback=True):
        await take_slots(connection, [want(ada, 1)])
    now, given_out = await take(connection, want(ada, 1))
    assert given_out == [now]


async def test_all_of_a_group_must_have_room_and_each_counts(connection: Connection) -> None:
    ada = ids.new_uuid()
    email, news = want(ada, 1), want(ada, 2, key="categories:news")
    async with connection.transaction():
        now = await now_of(connection)
        given_out = await take_joint_slots(connection, [Group([email, news])] * 3)
    assert given_out == [now, now + HOUR, now + 2 * HOUR]
    _, (next_news,) = await take(connection, news)
    assert next_news == now + 2 * HOUR


async def test_places_are_spread_over_when_they_are_admitted(connection: Connection) -> None:
    """Four that come in a night leave one by one after it, not together when it ends."""
    ada = ids.new_uuid()
    async with connection.transaction():
        now = await now_of(connection)
        morning = now + 8 * HOUR
        night = Group([want(ada, 1)], admit=lambda moment: max(moment, morning))
        given_out = await take_joint_slots(connection, [night] * 4)
    assert given_out == [morning + n * HOUR for n in range(4)]


async def test_a_changed_limit_holds_from_then_on(connection: Connection) -> None:
    ada = ids.new_uuid()
    now, _ = await take(connection, *[want(ada, 3)] * 3)
    _, given_out = await take(connection, want(ada, 1), want(ada, 1))
    assert given_out == [now + HOUR, now + 2 * HOUR]


async def test_two_at_once_never_count_the_same_place(connection: Connection) -> None:
    ada, bob = ids.new_uuid(), ids.new_uuid()

    async def worker() -> list[datetime]:
        async with await connect() as own:
            taken = []
            for _ in range(5):
                _, given_out = await take(own, want(ada, 3), want(bob, 3))
                taken.append(given_out[0])
            return taken

    everything = sorted(moment for taken in await asyncio.gather(*[worker() for _ in range(4)]) for moment in taken)
    assert len(everything) == 20
    assert all(later - earlier >= HOUR for earlier, later in zip(everything, everything[3:], strict=False))


async def test_what_says_nothing_any_more_is_forgotten(connection: Connection) -> None:
    ada = ids.new_uuid()
    await take(connection, want(ada))
    assert await in_thread(forget_slots) == 0
    await connection.execute("UPDATE schedules_slotlog SET expires_at = now() - interval '1 s'")
    assert await in_thread(forget_slots) == 1


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limits=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    kinds=st.lists(st.sampled_from(["a", "b", "both", "night"]), min_size=1, max_size=25),
)
async def test_no_window_has_more_than_the_limit(
    connection: Connection, limits: tuple[int, int], kinds: list[str]
) -> None:
    recipient = ids.new_uuid()
    first, second = want(recipient, limits[0], key="a"), want(recipient, limits[1], key="b")
    taken: dict[str, list[datetime]] = {"a": [], "b": []}
    for kind in kinds:
        wants = {"a": [first], "b": [second]}.get(kind, [first, second])
        async with connection.transaction():
            now = await now_of(connection)
            dawn = now + 5 * HOUR / 2 if kind == "night" else now
            (moment,) = await take_joint_slots(connection, [Group(wants, admit=lambda at, dawn=dawn: max(at, dawn))])  # type: ignore[misc]
        assert moment >= max(now, dawn)
        for one in wants:
            taken[one.key].append(moment)
    for key, limit in zip(("a", "b"), limits, strict=True):
        ordered = sorted(taken[key])
        pairs = zip(ordered, ordered[limit:], strict=False)
        assert all(later - earlier >= HOUR for earlier, later in pairs), (key, limit, ordered)

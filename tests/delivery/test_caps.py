"""Caps: never more than its places for one endpoint; short waits are waited, long ones put off and spread."""

import asyncio
from uuid import uuid4

from delivery import caps
from delivery.caps import Caps

ENDPOINT = uuid4()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_never_more_than_its_places_are_in_flight_and_all_get_through() -> None:
    busy, most, done = 0, 0, 0
    places = Caps(3)

    async def attempt(number: int) -> None:
        nonlocal busy, most, done
        assert await places.enter(ENDPOINT, number) is None
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0)
        busy -= 1
        done += 1
        places.leave(ENDPOINT, number)

    await asyncio.gather(*(attempt(number) for number in range(100)))
    assert (most, done) == (3, 100)
    assert places._endpoints == {}  # nothing is remembered of an endpoint at rest


async def test_behind_a_receiver_that_hangs_all_are_put_off_at_once_and_one_endpoint_does_not_touch_another() -> None:
    clock = Clock()
    places = Caps(2, clock)
    for ticket in range(2):
        assert await places.enter(ENDPOINT, ticket) is None
    clock.now = 20.0  # both hang for this long
    delays = [await places.enter(ENDPOINT, ticket) for ticket in range(2, 1000)]
    assert all(delay is not None and 1.0 <= delay <= caps.LONGEST_DELAY_SECONDS for delay in delays)
    # One place is given free every ten seconds: that is how they are spread, and not all for the same moment.
    assert delays[:3] == [11.0, 21.0, 31.0]
    assert await places.enter(uuid4(), "other") is None


async def test_who_waits_in_vain_is_put_off_after_his_patience() -> None:
    places = Caps(1)
    assert await places.enter(ENDPOINT, 1) is None
    async with asyncio.timeout(30):
        delay = await places.enter(ENDPOINT, 2)
    assert delay is not None and delay >= 1.0
    places.leave(ENDPOINT, 1)
    assert await places.enter(ENDPOINT, 3) is None


async def test_a_place_handed_over_is_nobody_elses() -> None:
    places = Caps(1)
    assert await places.enter(ENDPOINT, 1) is None
    waiting = asyncio.create_task(places.enter(ENDPOINT, 2))
    await asyncio.sleep(0)
    places.leave(ENDPOINT, 1)
    newcomer = asyncio.create_task(places.enter(ENDPOINT, 3))
    assert await waiting is None
    assert not newcomer.done()
    places.leave(ENDPOINT, 2)
    assert await newcomer is None

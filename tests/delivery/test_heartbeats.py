"""Heartbeats: who is at work, and how silence is noticed."""

import asyncio
from typing import Any

from structlog.testing import capture_logs

from delivery.feedback.conf import BounceConf
from delivery.heartbeats import BEAT, READ, WEB, WORKER, Heart, Pulse, missing, read_pulses
from tests.delivery.world import World, until


async def pulses(world: World) -> dict[str, Pulse]:
    return read_pulses(await (await world.connection.execute(READ)).fetchall())


async def beat(heart: Heart) -> None:
    """One beat now, from a thread as synchronous processes do it."""
    heart._due = float("-inf")
    await asyncio.to_thread(heart.beat)


async def grow_old(world: World, seconds: int) -> None:
    await world.connection.execute(
        "UPDATE delivery_heartbeat SET last_seen_at = last_seen_at - make_interval(secs => %s)", (seconds,)
    )


async def test_a_process_is_there_from_start_to_stop(world: World) -> None:
    heart = Heart(WORKER)
    heart.start()

    async def alive() -> bool:
        return (await pulses(world))[WORKER].alive == 1

    await until(alive, what="the first beat")
    assert (await pulses(world))[WORKER].silent == 0
    await heart.stop()
    assert (await pulses(world))[WORKER] == Pulse()


async def test_silence_is_logged_once_by_whoever_sees_it_first(world: World) -> None:
    dead, alive, other = Heart(WORKER), Heart(WEB), Heart(BEAT)
    await beat(dead)
    await grow_old(world, 60)
    with capture_logs() as logs:
        await asyncio.gather(beat(alive), beat(other))
        await beat(alive)
    assert [(entry["event"], entry["role"], entry["seconds"] >= 60) for entry in logs] == [
        ("process_silent", WORKER, True)
    ]
    seen = await pulses(world)
    assert (seen[WORKER].alive, seen[WORKER].silent) == (0, 1)
    assert missing(seen)[WORKER].startswith("No worker seen for 6")


async def test_one_who_was_only_frozen_is_alive_again_and_noticed_anew(world: World) -> None:
    frozen, alive = Heart(WORKER), Heart(WEB)
    with capture_logs() as logs:
        for _ in range(2):
            await beat(frozen)
            assert (await pulses(world))[WORKER].alive == 1
            await grow_old(world, 60)
            await beat(alive)
    assert [entry["role"] for entry in logs if entry["role"] == WORKER] == [WORKER, WORKER]


async def test_what_was_silent_for_an_hour_is_forgotten(world: World) -> None:
    dead, alive = Heart(WORKER), Heart(WEB)
    await beat(dead)
    await grow_old(world, 3700)
    with capture_logs() as logs:
        await beat(alive)
    assert (await pulses(world))[WORKER] == Pulse()
    assert logs == []


async def test_a_synchronous_process_says_goodbye_and_beats_no_oftener_than_it_should(world: World) -> None:
    heart = Heart(BEAT)
    await asyncio.to_thread(heart.beat)
    await world.connection.execute("UPDATE delivery_heartbeat SET pid = 0")
    await asyncio.to_thread(heart.beat)
    assert (await pulses(world))[BEAT].alive == 1
    (row,) = await world.rows("SELECT started_at = last_seen_at AS once FROM delivery_heartbeat")
    assert row["once"]
    await asyncio.to_thread(heart.end)
    assert (await pulses(world))[BEAT] == Pulse()


def test_only_roles_without_which_work_stops_are_missed() -> None:
    assert missing(read_pulses([])) == {WORKER: "No worker seen.", BEAT: "No Beat seen."}
    assert missing(read_pulses([(WORKER, 1, 3, 2.0), (BEAT, 0, 1, 61.2)])) == {BEAT: "No Beat seen for 61 s."}


def test_the_listener_for_bounces_is_missed_only_where_there_should_be_one(settings: Any) -> None:
    assert "bounces" not in missing(read_pulses([]))
    settings.CARILLON_BOUNCE = BounceConf(sender="shop@example.org", listen=("127.0.0.1", 2525))
    assert missing(read_pulses([]))["bounces"] == "No listener for bounces seen."
    assert "bounces" not in missing(read_pulses([("bounces", 1, 0, 2.0)]))

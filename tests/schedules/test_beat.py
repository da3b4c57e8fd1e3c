"""Real Beats on the real tables: each rings once for a schedule's time, and two of them make nothing twice."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from celery.signals import before_task_publish

from notifications.executor import in_thread
from schedules.beat import keep_in_step
from schedules.firing import fire_due
from schedules.models import Schedule
from schedules.periodic import FIRE_TASK
from tests.delivery.world import World, until
from tests.schedules.test_firing import add, clock, known, made, runs


@pytest.fixture
def make_beat(world: World) -> Callable[[], object]:
    """Beats as a process has them, without its loop; what they send goes to the session's Valkey."""
    from deploy.beat_scheduler import HeartbeatScheduler
    from deploy.celery_app import app

    app.loader.import_default_modules()

    def make() -> HeartbeatScheduler:
        return HeartbeatScheduler(app=app)

    return make


@pytest.mark.parametrize("beats", [1, 2])
async def test_beats_ring_for_a_schedules_time(
    world: World, make_beat: Callable[[], object], beats: int, rung: list[str]
) -> None:
    at = (await clock(world)).replace(microsecond=0) + timedelta(seconds=2)
    schedule_id = await add(world, cron=None, at=at, due=None)
    await world.connection.execute("UPDATE schedules_schedule SET next_at = at")
    await in_thread(lambda: keep_in_step(Schedule.objects.get(id=schedule_id)))
    running = [await in_thread(make_beat) for _ in range(beats)]

    async def all_rang() -> bool:
        for beat in running:
            await in_thread(beat.tick)  # type: ignore[attr-defined]
        return rung.count(FIRE_TASK) == beats

    await until(all_rang, what="Beat to ring")
    assert await clock(world) >= at
    counts = [(await fire_due(world.connection, known())).count for _ in range(beats)]
    assert sum(counts) == len(await made(world)) == 1
    (run,) = await runs(world)
    assert (run["occurrence"], run["next_at"]) == (at, None)
    for _ in range(3):
        await all_rang()
        await asyncio.sleep(0.2)
    assert rung.count(FIRE_TASK) == beats
    name = f"%({schedule_id})"
    (entry,) = await world.rows("SELECT enabled FROM django_celery_beat_periodictask WHERE name LIKE %s", name)
    assert entry["enabled"] is False


@pytest.fixture
def rung() -> Iterator[list[str]]:
    """The tasks that are sent to the broker from here."""
    sent: list[str] = []

    def note(sender: str, **_: object) -> None:
        sent.append(sender)

    before_task_publish.connect(note)
    yield sent
    before_task_publish.disconnect(note)

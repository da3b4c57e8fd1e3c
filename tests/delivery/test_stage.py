"""A stage of work: runs until nothing is due, folds wake-ups, survives what goes wrong."""

import asyncio

import psycopg

from delivery.stage import Stage


class Work:
    """`due` batches, each of which may wait for `gate` or raise."""

    def __init__(self, due: int = 0) -> None:
        self.due = due
        self.looks = 0
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.ended = 0

    async def step(self) -> bool:
        self.looks += 1
        self.begun.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.ended += 1
        self.due = max(0, self.due - 1)
        return self.due > 0


async def test_one_wake_up_does_all_that_is_due() -> None:
    work = Work(due=5)
    await Stage("test", work.step).wake()
    assert (work.looks, work.due) == (5, 0)


async def test_a_thousand_wake_ups_during_a_look_cost_one_more() -> None:
    work = Work()
    work.gate.clear()
    stage = Stage("test", work.step)
    tasks = {stage.wake()}
    await work.begun.wait()
    tasks |= {stage.wake() for _ in range(1000)}
    work.gate.set()
    await asyncio.gather(*tasks)
    assert (len(tasks), work.looks) == (1, 2)


async def test_whatever_goes_wrong_the_next_wake_up_looks_again() -> None:
    work = Work(due=2)
    stage = Stage("test", work.step)
    for error in (psycopg.OperationalError("gone"), psycopg.InterfaceError("closed"), TimeoutError(), KeyError("bug")):
        work.error = error
        await stage.wake()
    work.error = None
    await stage.wake()
    assert (work.looks, work.due) == (6, 0)


async def test_stopping_lets_the_step_under_way_end_and_begins_no_other() -> None:
    work = Work(due=5)
    work.gate.clear()
    stage = Stage("test", work.step)
    stage.wake()
    await work.begun.wait()
    stopping = asyncio.create_task(stage.stop())
    await asyncio.sleep(0)
    work.gate.set()
    await stopping
    assert (work.looks, work.ended) == (1, 1)
    await stage.wake()
    assert work.looks == 1


async def test_stopping_does_not_wait_for_ever() -> None:
    work = Work(due=1)
    work.gate.clear()
    stage = Stage("test", work.step)
    stage.wake()
    await work.begun.wait()
    await stage.stop()
    assert work.ended == 0

"""Turns: places go round the projects, critical first, and none is ever lost."""

import asyncio
from uuid import UUID

from delivery.turns import Turns

BIG, SMALL, OTHER = (UUID(int=n) for n in (1, 2, 3))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def line_up(turns: Turns, who: list[tuple[UUID, bool]]) -> tuple[list[str], list[asyncio.Task[None]]]:
    """Each waits for its turn in this order; whose turn came, as it comes."""
    came: list[str] = []

    async def one(project: UUID, critical: bool, number: int) -> None:
        await turns.enter(project, critical=critical)
        came.append(f"{project.int}{'!' if critical else ''}-{number}")

    tasks = []
    for number, (project, critical) in enumerate(who):
        tasks.append(asyncio.create_task(one(project, critical, number)))
        await settle()
    return came, tasks


async def test_projects_take_turns_and_critical_ones_come_first() -> None:
    turns = Turns(1)
    await turns.enter(BIG)
    came, _ = await line_up(
        turns, [(BIG, False), (BIG, False), (BIG, False), (SMALL, False), (OTHER, False), (BIG, True), (OTHER, True)]
    )
    assert came == []
    for _ in range(7):
        turns.leave()
        await settle()
    assert came == ["1!-5", "3!-6", "1-0", "2-3", "3-4", "1-1", "1-2"]


async def test_who_gives_up_takes_no_place_with_him() -> None:
    turns = Turns(2)
    await turns.enter(BIG)
    await turns.enter(BIG)
    came, tasks = await line_up(turns, [(BIG, False), (SMALL, False), (OTHER, False)])
    tasks[0].cancel()
    turns.leave()
    tasks[1].cancel()  # after the place was handed to it, before it knows
    await settle()
    assert came == ["3-2"]
    turns.leave()
    turns.leave()
    again, _ = await line_up(turns, [(BIG, False), (BIG, False), (BIG, False)])
    assert len(again) == 2

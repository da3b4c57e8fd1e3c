"""Ends tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any


async def end_tasks(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel until all have ended.

    Once is not enough: up to Python 3.11 `asyncio.wait_for`, by which redis-py writes, loses a cancellation that comes
    at the moment its work is done, and a task that loops would go on for ever.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.2)

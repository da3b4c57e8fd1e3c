"""A stage of work in one process: runs its step until nothing more is due; wakes that come meanwhile fold into one.

So a thousand wake-ups cost one more look, a stage that waits for a slow receiver delays no other stage, and
whoever woke it need not wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from notifications.database import UNREACHABLE

log = structlog.get_logger(__name__)

_STOP_SECONDS: Final = 1.0


class Stage:
    """`step` does one batch and says whether more may be due."""

    def __init__(self, name: str, step: Callable[[], Awaitable[bool]]) -> None:
        self.name = name
        self._step = step
        self._again = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> asyncio.Task[None]:
        """Look for due work now, or once more when a look is under way; the task that does it."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"stage-{self.name}")
        return self._task

    async def stop(self) -> None:
        """Begin no further step, and cancel the one under way if it takes long.

        It is given a moment because rows that it has claimed and not begun would have to wait for their leases.
        """
        self._stopping = True
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_STOP_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while self._again and not self._stopping:
                self._again = False
                while not self._stopping and await self._step():
                    pass
        except UNREACHABLE:
            log.warning("stage_database_unreachable", stage=self.name)
        except Exception:
            log.exception("stage_failed", stage=self.name)

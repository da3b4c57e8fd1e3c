"""Whose attempt is next in one process: critical ones, then the projects in turn, each in the order of its claims."""

import asyncio
from collections import OrderedDict, deque
from typing import Final
from uuid import UUID

Project = UUID | None
_CRITICAL: Final[Project] = None


class Turns:
    """A semaphore of `places` whose waiters come in fair order; on one event loop."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: OrderedDict[Project, deque[asyncio.Future[None]]] = OrderedDict()

    async def enter(self, project: UUID, *, critical: bool = False) -> None:
        """Wait for a place; give it back by `leave`."""
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        key = _CRITICAL if critical else project
        self._waiting.setdefault(key, deque()).append(turn)
        if critical:
            self._waiting.move_to_end(_CRITICAL, last=False)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """The place goes to the next in turn; a project that was served goes behind the others."""
        while self._waiting:
            project, queue = next(iter(self._waiting.items()))
            turn = queue.popleft()
            if not queue:
                del self._waiting[project]
            elif project is not _CRITICAL:
                self._waiting.move_to_end(project)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

"""Telling the recipients' groups what came in, apart from the work itself: Redis may hang, deliveries must not.

A push is a hint; when too many wait, the newest are dropped and counted, and the sockets read the inbox log instead.
"""

import asyncio
from collections import deque
from typing import Final

from delivery import metrics
from notifications.events import LiveEvent
from notifications.inbox.publish import publish

_MOST_WAITING: Final = 20_000
_BATCH: Final = 200


class Pusher:
    """The pushing side of one process; in order per process, never blocking who calls `push`."""

    def __init__(self) -> None:
        self._waiting: deque[LiveEvent] = deque()
        self._task: asyncio.Task[None] | None = None

    def push(self, events: list[LiveEvent]) -> None:
        """Hand over events that are committed."""
        room = _MOST_WAITING - len(self._waiting)
        metrics.PUSH_DROPPED.inc(max(0, len(events) - room))
        self._waiting.extend(events[:room])
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(), name="pusher")

    async def stop(self) -> None:
        """Publish what is waiting."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._waiting:
            await publish([self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))])

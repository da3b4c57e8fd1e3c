"""Wakes whoever waits for a change of an inbox over HTTP: event streams and long polls of one process.

The truth is one query a second that compares every waiting client's position with the heads in PostgreSQL. The channel
layer is the hint that makes it quick: one layer channel joins the groups of the recipients who are waited for. A hint
that is lost, repeated or wrong costs a second or a read, never a change.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from notifications.events import Hint, inbox_group
from notifications.inbox.access import LOG_FAILED, InboxAccess
from notifications.inbox.attendance import Attendance, Times
from notifications.inbox.endings import end_tasks
from notifications.inbox.reads import Head

MOST_PER_RECIPIENT: Final = 10


class Layer(Protocol):
    """What is used of `LiveLayer`."""

    new_channel: Callable[[str], Awaitable[str]]
    receive: Callable[[str], Awaitable[Hint]]
    group_add_many: Callable[[list[str], str], Awaitable[None]]
    group_discard_many: Callable[[list[str], str], Awaitable[None]]


class Watcher:
    """One waiting client. `position` is what it has been told of: (epoch, offset); `issued_at` is that of its token.

    A stream is a device that is connected; who polls is not.
    """

    __slots__ = ("_issued_at", "_woken", "is_stream", "position")

    def __init__(self, position: tuple[UUID, int], issued_at: datetime, *, is_stream: bool) -> None:
        self.position = position
        self.is_stream = is_stream
        self._issued_at = issued_at
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def has_all_of(self, head: Head | None) -> bool:
        """Whether there is nothing to tell this client: neither a change nor that it may not go on."""
        return head is not None and self.position == (head.epoch, head.offset) and head.admits(self._issued_at)

    async def wait(self, seconds: float) -> bool:
        """Wait for a reason to look at the log again; False when there was none in this time."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


class InboxWatch:
    """`open` it on the loop that serves; then clients come and go by `watching`, until `drain`."""

    def __init__(self, layer: Layer, access: InboxAccess, *, poll_seconds: float) -> None:
        self.draining = False
        self.attendance = Attendance(self._devices_of, access, Times())
        self._layer = layer
        self._head = access.head
        self._poll_seconds = poll_seconds
        self._channel = ""
        self._watchers: dict[UUID, set[Watcher]] = {}
        self._joined: set[UUID] = set()
        self._newcomer = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._ready: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen, with the first client."""
        if self._ready is None:
            self._ready = asyncio.create_task(self._open())
        await asyncio.shield(self._ready)

    async def drain(self) -> None:
        """Let every client know that it is over here, and end."""
        self.draining = True
        for watcher in [each for watchers in self._watchers.values() for each in watchers]:
            watcher.wake()
        await end_tasks(self._tasks if self._ready is None else [self._ready, *self._tasks])

    def has_room(self, recipient_pk: UUID) -> bool:
        """Whether one more client may wait for this recipient."""
        return len(self._watchers.get(recipient_pk, ())) < MOST_PER_RECIPIENT

    @asynccontextmanager
    async def watching(
        self, recipient_pk: UUID, position: tuple[UUID, int], issued_at: datetime, *, is_stream: bool = False
    ) -> AsyncIterator[Watcher]:
        """While inside, changes beyond the watcher's position and the end of its access wake it, no later than the next
        poll."""
        watcher = Watcher(position, issued_at, is_stream=is_stream)
        self._watchers.setdefault(recipient_pk, set()).add(watcher)
        if recipient_pk not in self._joined:
            self._newcomer.set()
        if is_stream:
            self.attendance.enter(recipient_pk)
        try:
            yield watcher
        finally:
            self._watchers[recipient_pk].discard(watcher)
            if not self._watchers[recipient_pk]:
                del self._watchers[recipient_pk]
            if is_stream:
                self.attendance.leave(recipient_pk)

    async def _open(self) -> None:
        self._channel = await self._layer.new_channel("inbox-watch.")
        if not self.draining:
            work = (self._receive(), self._join(), self._leave(), self._poll(), self.attendance.run())
            self._tasks = [asyncio.create_task(each) for each in work]

    def _devices_of(self, recipient_pk: UUID) -> int:
        return sum(each.is_stream for each in self._watchers.get(recipient_pk, ()))

    async def _receive(self) -> None:
        while True:
            event = await self._layer.receive(self._channel)
            for watcher in self._watchers.get(UUID(hex=event["recipient"]), ()):
                watcher.wake()

    async def _join(self) -> None:
        """Join a recipient's group with the first client."""
        while True:
            await self._newcomer.wait()
            self._newcomer.clear()
            coming = self._watchers.keys() - self._joined
            self._joined |= coming
            await self._layer.group_add_many([inbox_group(pk) for pk in coming], self._channel)

    async def _leave(self) -> None:
        """Leave groups a little later and together: a long poll comes right back."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            going = self._joined - self._watchers.keys()
            self._joined -= going
            if going:
                await self._layer.group_discard_many([inbox_group(pk) for pk in going], self._channel)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            pks = list(self._watchers)
            try:
                heads = await asyncio.gather(*map(self._head, pks))
            except LOG_FAILED:
                continue
            for pk, head in zip(pks, heads, strict=True):
                for watcher in self._watchers.get(pk, ()):
                    if not watcher.has_all_of(head):
                        watcher.wake()

"""What the inbox over HTTP shares within a process: made on first use, on the loop that serves its requests."""

import asyncio
from collections.abc import Sequence
from typing import Final, cast

from channels.layers import get_channel_layer

from notifications.events import Hint
from notifications.inbox.access import InboxAccess
from notifications.inbox.publish import publish
from notifications.inbox.watch import InboxWatch, Layer

_CONNECTIONS: Final = 4
_POLL_SECONDS: Final = 1.0
_PUBLISH_SECONDS: Final = 0.25


class InboxDoor:
    """Connections to read and change inboxes, and the watch that waits for their changes."""

    def __init__(self) -> None:
        self.access = InboxAccess(connections=_CONNECTIONS)
        self.watch = InboxWatch(cast(Layer, get_channel_layer()), self.access, poll_seconds=_POLL_SECONDS)
        self._publishing: set[asyncio.Task[None]] = set()

    async def publish(self, events: Sequence[Hint]) -> None:
        """Tell live listeners and the cache of what is committed. Whoever did it waits for Redis, but not long: an answer
        that follows shows the change wherever it is asked for next."""
        if events:
            task = asyncio.create_task(publish(events))
            self._publishing.add(task)
            task.add_done_callback(self._publishing.discard)
            await asyncio.wait((task,), timeout=_PUBLISH_SECONDS)

    async def aclose(self) -> None:
        """End everything; what is being published has its time limit."""
        await self.watch.drain()
        await self.watch.attendance.close()
        await asyncio.gather(*self._publishing)
        await self.access.aclose()


class _Process:
    """The door of this process and the loop it lives on."""

    door: InboxDoor | None = None
    loop: asyncio.AbstractEventLoop | None = None


async def inbox_door() -> InboxDoor:
    """The door of the running loop; made when there is none."""
    loop = asyncio.get_running_loop()
    if _Process.door is None or _Process.loop is not loop:
        _Process.door, _Process.loop = InboxDoor(), loop
        await _Process.door.access.open()
    return _Process.door


async def drain_inbox() -> None:
    """End event streams and answer long polls. For the server, before it waits for its connections."""
    if _Process.door is not None and _Process.loop is asyncio.get_running_loop():
        await _Process.door.watch.drain()


async def stop_inbox() -> None:
    """End everything of `inbox_door`; for the end of the process."""
    door = _Process.door
    if door is not None and _Process.loop is asyncio.get_running_loop():
        _Process.door = _Process.loop = None
        await door.aclose()

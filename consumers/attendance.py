"""Who is connected to this process: told to Redis as leases, and to PostgreSQL as the time each was last seen.

One task for all sockets. Who comes or goes is told with the hub's next tick, everybody anew every
`presence_refresh_seconds` in one write per few hundred recipients. Nothing is counted up or down anywhere: each write says
how many sockets there are, and what a killed process said ends with its lease.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

import structlog

from consumers.conf import ConsumersConf
from consumers.log import LOG_FAILED, InboxLog
from consumers.room import Room
from notifications import ids
from notifications.inbox.last_seen import record_last_seen
from notifications.inbox.presence import Present, tell_presence
from notifications.inbox.shard import REDIS_FAILED

log = structlog.get_logger(__name__)

T = TypeVar("T")

_AT_ONCE: Final = 200
_MOST_WAITING: Final = 100_000


class Attendance:
    """The hub's, over its rooms: sockets `enter` and `leave`; `run` while they are served, then `close`."""

    def __init__(self, log: InboxLog, conf: ConsumersConf, rooms: Mapping[UUID, Room]) -> None:
        self._log = log
        self._conf = conf
        self._rooms = rooms
        self._process = ids.new_uuid().hex
        self._changed: set[UUID] = set()
        self._new: set[UUID] = set()
        self._seen: dict[UUID, float] = {}
        self._refresh_at = self._record_at = 0.0
        self._failing = False

    def enter(self, recipient_pk: UUID) -> None:
        """One of this recipient's sockets is live now."""
        self._changed.add(recipient_pk)
        self._new.add(recipient_pk)

    def leave(self, room: Room) -> None:
        """A socket that was live has left its room."""
        self._changed.add(room.recipient_pk)
        if len(self._seen) < _MOST_WAITING and not any(each.is_live for each in room.connections):
            self._seen[room.recipient_pk] = time.monotonic()

    def renew(self) -> None:
        """Redis may have forgotten: tell everything with the next tick."""
        self._refresh_at = 0.0

    async def run(self) -> None:
        self._refresh_at = time.monotonic() + self._conf.presence_refresh_seconds
        self._record_at = time.monotonic() + self._conf.last_seen_seconds
        while True:
            await asyncio.sleep(self._conf.tick_seconds)
            now = time.monotonic()
            if now >= self._refresh_at:
                self._refresh_at = now + self._conf.presence_refresh_seconds
                self._changed.update(self._present())
                # Not as they come: thousands may, when another process has stopped.
                self._see(now, self._new.intersection(self._present()))
                self._new.clear()
            if now >= self._record_at:
                self._record_at = now + self._conf.last_seen_seconds
                self._see(now, self._present())
            await self._tell()

    async def close(self) -> None:
        """Say that nobody is connected here any more; for when `run` has ended."""
        self._changed.update(self._present())
        self._see(time.monotonic(), self._present())
        await self._tell()

    def _present(self) -> Iterable[UUID]:
        return [pk for pk, room in self._rooms.items() if room.since is not None]

    def _see(self, now: float, recipient_pks: Iterable[UUID]) -> None:
        self._seen.update(dict.fromkeys(recipient_pks, now))

    async def _tell(self) -> None:
        changed, self._changed = self._changed, set()
        try:
            for chunk in _chunks(map(self._look, changed)):
                await tell_presence(chunk, process=self._process, lease_seconds=self._conf.presence_lease_seconds)
        except asyncio.CancelledError:
            self._changed |= changed
            raise
        except REDIS_FAILED as error:
            # Who has left is told again as well, unless so many have that their leases must do.
            self._changed |= changed if len(changed) <= _MOST_WAITING else changed & self._rooms.keys()
            if not self._failing:
                log.warning("presence_not_told", error=type(error).__name__)
            self._failing = True
        else:
            self._failing = False
        await self._record()

    def _look(self, recipient_pk: UUID) -> Present:
        """How many of a recipient's sockets are live here, and since when there was always one."""
        room = self._rooms.get(recipient_pk)
        if room is None:
            return Present(recipient_pk, 0, 0.0)
        devices = sum(each.is_live for each in room.connections)
        room.since = (room.since or time.time()) if devices else None
        return Present(recipient_pk, devices, room.since or 0.0)

    async def _record(self) -> None:
        seen, self._seen = self._seen, {}
        try:
            for chunk in _chunks(sorted(seen.items())):
                now = time.monotonic()
                async with self._log.connection() as conn:
                    await record_last_seen(conn, {pk: now - at for pk, at in chunk})
        except (*LOG_FAILED, asyncio.CancelledError) as error:
            self._seen = {**seen, **self._seen}
            if isinstance(error, asyncio.CancelledError):
                raise


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk

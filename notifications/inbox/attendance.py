"""Who is connected to this process: told to Redis as leases, and to PostgreSQL as the time each was last seen.

One task for all clients of a door. Who comes or goes is told with the next tick, everybody anew every
`refresh_seconds`, a few at a time, for live events wait meanwhile. Nothing is counted up or down anywhere: each write says how many devices there
are, and what a killed process said ends with its lease.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Final, TypeVar
from uuid import UUID

import structlog

from notifications import ids
from notifications.clock import utc_now
from notifications.inbox.access import LOG_FAILED, InboxAccess
from notifications.inbox.last_seen import record_last_seen
from notifications.inbox.presence import Present, tell_presence
from notifications.inbox.shard import REDIS_FAILED

log = structlog.get_logger(__name__)

T = TypeVar("T")

_AT_ONCE: Final = 50  # live events wait no longer than for one such part
_MOST_WAITING: Final = 100_000
_LOOKS_PER_TICK: Final = 20
_RECORDED_PER_LOOK: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How often what is told. Nonsense is refused here."""

    tick_seconds: float = 1.0
    refresh_seconds: float = 20.0
    lease_seconds: float = 50.0
    last_seen_seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.lease_seconds < 2 * self.refresh_seconds:
            raise ValueError("lease_seconds must outlast a refresh that fails once")


class Attendance:
    """One door's: whoever is connected `enter`s and `leave`s; `run` while they are served, then `close`.

    `devices` says how many of a recipient's devices are connected here right now.
    """

    def __init__(self, devices: Callable[[UUID], int], access: InboxAccess, times: Times) -> None:
        self._devices = devices
        self._access = access
        self._times = times
        self._since: dict[UUID, float] = {}
        self._process = ids.new_uuid().hex
        self._changed: set[UUID] = set()
        self._new: set[UUID] = set()
        self._seen: dict[UUID, float] = {}
        self._failing = False

    def enter(self, recipient_pk: UUID) -> None:
        """One of this recipient's devices is connected now."""
        self._since.setdefault(recipient_pk, utc_now().timestamp())
        self._changed.add(recipient_pk)
        self._new.add(recipient_pk)

    def leave(self, recipient_pk: UUID) -> None:
        """One that was connected is not any more."""
        self._changed.add(recipient_pk)
        if len(self._seen) < _MOST_WAITING and not self._devices(recipient_pk):
            self._seen[recipient_pk] = time.monotonic()

    def renew(self) -> None:
        """Redis may have forgotten: tell everything with the next tick."""
        self._changed.update(self._since)

    async def run(self) -> None:
        looked_at = time.monotonic()
        record_at = looked_at + self._times.last_seen_seconds
        owed = 0.0
        for look in count(1):
            await asyncio.sleep(self._times.tick_seconds / _LOOKS_PER_TICK)
            now = time.monotonic()
            owed += len(self._since) * (now - looked_at) / self._times.refresh_seconds
            looked_at = now
            told = self._turn(now, int(owed))
            owed -= int(owed)
            if look % _LOOKS_PER_TICK == 0:
                told |= self._take_changed()
            elif self._failing:
                self._changed |= told
                continue
            if now >= record_at:
                record_at = now + self._times.last_seen_seconds
                self._see(now, self._since)
            if told:
                await self._tell(told)
            await self._record(_RECORDED_PER_LOOK)

    async def close(self) -> None:
        """Say that nobody is connected here any more; for when `run` has ended."""
        self._changed.update(self._since)
        self._see(time.monotonic(), self._since)
        await self._tell(self._take_changed())
        await self._record(len(self._seen))

    def _take_changed(self) -> set[UUID]:
        changed, self._changed = self._changed, set()
        return changed

    def _turn(self, now: float, many: int) -> set[UUID]:
        """Who is told anew: those whose last turn is longest ago."""
        turn = list(islice(self._since, many))
        for recipient_pk in turn:
            self._since[recipient_pk] = self._since.pop(recipient_pk)
        # Not as they come: thousands may, when another process has stopped.
        self._see(now, self._new.intersection(turn))
        self._new.difference_update(turn)
        return set(turn)

    def _see(self, now: float, recipient_pks: Iterable[UUID]) -> None:
        self._seen.update(dict.fromkeys(recipient_pks, now))

    async def _tell(self, changed: set[UUID]) -> None:
        try:
            for chunk in _chunks(map(self._look, changed)):
                await tell_presence(chunk, process=self._process, lease_seconds=self._times.lease_seconds)
        except asyncio.CancelledError:
            self._changed |= changed
            raise
        except REDIS_FAILED as error:
            # Who has left is told again as well, unless so many have that their leases must do.
            self._changed |= changed if len(changed) <= _MOST_WAITING else changed & self._since.keys()
            if not self._failing:
                log.warning("presence_not_told", error=type(error).__name__)
            self._failing = True
        else:
            self._failing = False

    def _look(self, recipient_pk: UUID) -> Present:
        """How many of a recipient's devices are connected here, and since when there was always one."""
        devices = self._devices(recipient_pk)
        if not devices:
            self._since.pop(recipient_pk, None)
            self._new.discard(recipient_pk)
            return Present(recipient_pk, 0, 0.0)
        return Present(recipient_pk, devices, self._since.setdefault(recipient_pk, utc_now().timestamp()))

    async def _record(self, most: int) -> None:
        seen = {pk: self._seen.pop(pk) for pk in list(islice(self._seen, most))}
        try:
            for chunk in _chunks(seen.items()):
                now = time.monotonic()
                async with self._access.connection() as conn:
                    await record_last_seen(conn, {pk: now - at for pk, at in sorted(chunk)})
        except (*LOG_FAILED, asyncio.CancelledError) as error:
            self._seen = {**seen, **self._seen}
            if isinstance(error, asyncio.CancelledError):
                raise


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk

"""Who is connected to this process: told to Redis, where it is true as long as the process renews its lease, and to PostgreSQL
as the time each was last seen.

One task for all clients of a door. Who comes or goes is told with the next tick; who stays is in turn every `last_seen_seconds`,
some with each renewal of the lease. Nothing is counted up or down anywhere: each write says how many devices there are.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

import structlog

from notifications import ids
from notifications.clock import utc_now
from notifications.inbox.access import LOG_FAILED, InboxAccess
from notifications.inbox.last_seen import record_last_seen
from notifications.inbox.presence import Present, renew_lease, tell_presence
from notifications.inbox.shard import REDIS_FAILED

log = structlog.get_logger(__name__)

T = TypeVar("T")

_AT_ONCE: Final = 200  # live events wait no longer than for one such part, about a millisecond
_MOST_WAITING: Final = 100_000
_RECORDED_PER_TICK: Final = 500
_KEPT_TURNS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How often what is told. Nonsense is refused here."""

    tick_seconds: float = 1.0
    refresh_seconds: float = 5.0
    lease_seconds: float = 15.0
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
        self._renewals = 0
        self._changed: set[UUID] = set()
        self._seen: dict[UUID, float] = {}
        self._failing = False

    def enter(self, recipient_pk: UUID) -> None:
        """One of this recipient's devices is connected now."""
        self._since.setdefault(recipient_pk, utc_now().timestamp())
        self._changed.add(recipient_pk)

    def leave(self, recipient_pk: UUID) -> None:
        """One that was connected is not any more."""
        self._changed.add(recipient_pk)
        if len(self._seen) < _MOST_WAITING and not self._devices(recipient_pk):
            self._seen[recipient_pk] = time.monotonic()

    def renew(self) -> None:
        """Redis may have forgotten: tell everything with the next tick."""
        self._changed.update(self._since)

    async def run(self) -> None:
        renew_at = turned_at = time.monotonic()
        owed = 0.0
        while True:
            await asyncio.sleep(self._times.tick_seconds)
            now = time.monotonic()
            if now >= renew_at and self._since and await self._renew():
                renew_at = now + self._times.refresh_seconds
                owed += len(self._since) * (now - turned_at) / self._times.last_seen_seconds
                turned_at = now
                self._turn(now, int(owed))
                owed -= int(owed)
            if self._changed:
                await self._tell(self._take_changed())
            await self._record(_RECORDED_PER_TICK)

    async def close(self) -> None:
        """Say that nobody is connected here any more; for when `run` has ended."""
        self._changed.update(self._since)
        self._see(time.monotonic(), self._since)
        await self._tell(self._take_changed())
        await self._record(len(self._seen))

    def _take_changed(self) -> set[UUID]:
        changed, self._changed = self._changed, set()
        return changed

    def _turn(self, now: float, many: int) -> None:
        """Those whose last turn is longest ago are told anew, and seen now."""
        turn = list(islice(self._since, many))
        for recipient_pk in turn:
            self._since[recipient_pk] = self._since.pop(recipient_pk)
        self._changed.update(turn)
        self._see(now, turn)

    def _see(self, now: float, recipient_pks: Iterable[UUID]) -> None:
        self._seen.update(dict.fromkeys(recipient_pks, now))

    async def _renew(self) -> bool:
        """Renew the lease; False when Redis did not answer."""
        self._renewals += 1
        try:
            if not await renew_lease(self._process, self._times.lease_seconds, number=self._renewals):
                self.renew()
        except REDIS_FAILED as error:
            self._fail(error)
            return False
        self._failing = False
        return True

    async def _tell(self, changed: set[UUID]) -> None:
        keep_seconds = max(self._times.lease_seconds, _KEPT_TURNS * self._times.last_seen_seconds)
        try:
            for chunk in _chunks(map(self._look, changed)):
                await tell_presence(chunk, process=self._process, keep_seconds=keep_seconds)
        except asyncio.CancelledError:
            self._changed |= changed
            raise
        except REDIS_FAILED as error:
            self._changed |= changed
            if len(self._changed) > _MOST_WAITING:
                # Too many have left to remember them: what was said under this name ends with its lease.
                self._process, self._changed = ids.new_uuid().hex, set()
            self._fail(error)
        else:
            self._failing = False

    def _fail(self, error: Exception) -> None:
        if not self._failing:
            log.warning("presence_not_told", error=type(error).__name__)
        self._failing = True

    def _look(self, recipient_pk: UUID) -> Present:
        """How many of a recipient's devices are connected here, and since when there was always one."""
        devices = self._devices(recipient_pk)
        if not devices:
            self._since.pop(recipient_pk, None)
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

"""Places for what one recipient gets only so often: a sliding window log per recipient and key, in PostgreSQL.

Of `limit` places one is free again `window_seconds` after it was taken, so in no window of that length there are more, wherever
it begins. A place that is not free now is given for the time when it will be: what is over the limit is put off, in order,
never dropped. A place whose time has not come yet can be given back (`delivery/services.py` does when it cancels). The log's row is locked from the look until the caller's commit, so two workers never count the same free place.

Take all of a transaction's places in one call: the rows are locked in one order, which keeps two calls from waiting for
each other.
"""

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

Connection = AsyncConnection[TupleRow]
Admit = Callable[[datetime], datetime]

_SPARE: Final = 100
"""Places that are remembered beyond the limit: so many can be given back of a row that many wait in, and all is still counted."""
# The update changes nothing but locks what is there already, and so gives its newest version.
_LOCK: Final = """
    INSERT INTO schedules_slotlog AS mine (recipient_id, key, project_id, times, expires_at)
    SELECT recipient_id, key, project_id, '{}', now() FROM unnest(%s::uuid[], %s::text[], %s::uuid[])
           AS asked (recipient_id, key, project_id) ORDER BY recipient_id, key
    ON CONFLICT (recipient_id, key) DO UPDATE SET project_id = excluded.project_id
    RETURNING recipient_id, key, times, now()"""
_KEEP: Final = """
    UPDATE schedules_slotlog mine SET times = g.times::timestamptz[], expires_at = g.expires_at
      FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[]) AS g (recipient_id, key, times, expires_at)
     WHERE mine.recipient_id = g.recipient_id AND mine.key = g.key"""


@dataclass(frozen=True, slots=True)
class Want:
    """One place under `key` (at most 600 characters; hash what may be longer) for one recipient."""

    key: str
    project_id: UUID
    recipient_id: UUID
    limit: int
    window_seconds: float
    defer: bool = True
    """False: a place that is not free now is not taken; the answer still says when one would be."""


@dataclass(frozen=True, slots=True)
class Group:
    """Places under several keys for the same thing, which goes when all of them let it."""

    wants: Sequence[Want]
    admit: Admit = lambda moment: moment
    """The first moment from the given one on at which it could go otherwise, such as the end of quiet hours. Never earlier for
    a later moment."""


async def take_slots(connection: Connection, wants: Sequence[Want]) -> list[datetime]:
    """When each may go, in their order: exactly the transaction's `now()` where there is room, or when there will be.

    In the caller's transaction: what is rolled back was never taken.
    """
    return await take_joint_slots(connection, [Group((want,)) for want in wants])


async def take_joint_slots(connection: Connection, groups: Sequence[Group]) -> list[datetime]:
    """The same for groups; of a group with any `defer=False` no place is taken unless all are free now."""
    names = sorted({(want.recipient_id, want.key, want.project_id) for group in groups for want in group.wants})
    if not names:
        return []
    cursor = await connection.execute(_LOCK, [list(column) for column in zip(*names, strict=True)], prepare=True)
    rows = await cursor.fetchall()
    ledger = Ledger(((row[0], row[1], row[2]) for row in rows), now=rows[0][3])
    given = [ledger.take(group) for group in groups]
    if changed := ledger.changed():
        await connection.execute(_KEEP, [list(column) for column in zip(*changed, strict=True)], prepare=True)
    return given


class Ledger:
    """Logs at one moment, and what is taken from them. Pure: who only looks ahead throws it away."""

    def __init__(self, logs: Iterable[tuple[UUID, str, Sequence[datetime]]], *, now: datetime) -> None:
        self._now = now
        self._logs = defaultdict(_Log, {(recipient, key): _Log(times) for recipient, key, times in logs})

    def take(self, group: Group) -> datetime:
        """When the group's thing may go; its places are taken for then."""
        logs = [(want, self._logs[want.recipient_id, want.key]) for want in group.wants]
        free = [at for want, log in logs if (at := log.free_at(want)) is not None]
        moment = group.admit(max([self._now, *free]))
        if moment == self._now or all(want.defer for want in group.wants):
            for want, log in logs:
                log.take(want, moment, self._now)
        return moment

    def changed(self) -> list[tuple[UUID, str, str, datetime]]:
        """What is to be stored: recipient, key, the times as PostgreSQL's array, and when the log says nothing any more."""
        return [(*name, *log.stored()) for name, log in sorted(self._logs.items()) if log.changed]


class _Log:
    """The places of one row, as long as it is locked."""

    def __init__(self, times: Sequence[datetime] = ()) -> None:
        self._times = list(times)
        self._window = timedelta()
        self.changed = False

    def free_at(self, want: Want) -> datetime | None:
        """When a place is free; None: whenever."""
        if len(self._times) < want.limit:
            return None
        return self._times[-want.limit] + timedelta(seconds=want.window_seconds)

    def take(self, want: Want, moment: datetime, now: datetime) -> None:
        window = timedelta(seconds=want.window_seconds)
        bisect.insort(self._times, moment)
        # No more than the limit is ever asked for, but a later place may be given back.
        past = bisect.bisect_right(self._times, now - window)
        over = len(self._times) - want.limit
        del self._times[: max(0, min(past, over), over - _SPARE)]
        self._window = max(self._window, window)
        self.changed = True

    def stored(self) -> tuple[str, datetime]:
        return "{" + ",".join(moment.isoformat() for moment in self._times) + "}", self._times[-1] + self._window

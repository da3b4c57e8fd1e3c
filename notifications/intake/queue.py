"""Group commit: requests that arrive while one transaction runs share the next one.

Each process of the API has one `Intake` on its event loop, with a few writer tasks, each on its own connection. A request is answered when the
transaction that holds it has committed, and never before. Cost per request falls as load grows: one fsync,
one round trip and one COPY for everybody who waits.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Final

import psycopg
import structlog

from notifications import metrics
from notifications.conf import NotificationsConf
from notifications.database import UNREACHABLE, connect
from notifications.errors import CarillonError, InFlight, Unavailable
from notifications.intake.requests import Answer, Outcome, Request
from notifications.intake.writer import Connection, write

log = structlog.get_logger(__name__)

_DETAIL = "The database does not answer. Nothing was accepted; try again."
# What one request can bring about that is nobody else's fault: refused by the database, or not to be put into words for it.
_UNWRITABLE: Final = (psycopg.Error, ValueError, TypeError, LookupError)


class Intake:
    """The one front door of a process. `start` on the loop that serves requests; `stop` answers what is waiting."""

    def __init__(self, conf: NotificationsConf, *, on_commit: Callable[[], None]) -> None:
        self._conf = conf
        self._on_commit = on_commit
        self._waiting: deque[tuple[Request, asyncio.Future[Outcome]]] = deque()
        self._unanswered: deque[tuple[float, asyncio.Future[Outcome]]] = (
            deque()
        )  # with their deadlines, which only grow
        self._watch: asyncio.TimerHandle | None = None
        self._arrived = asyncio.Event()
        self._writers: list[asyncio.Task[None]] = []
        self._outages = 0  # what one writer finds broken is broken for the others too

    def start(self) -> None:
        """Begin to write. The connections are opened by the writers and again whenever they break."""
        self._writers = [asyncio.create_task(self._run(), name=f"intake-{n}") for n in range(self._conf.intake_writers)]

    async def stop(self) -> None:
        """Wait until everything that is waiting has been answered, then end the writers."""
        unanswered = [future for _, future in self._waiting]
        if unanswered:
            await asyncio.wait(unanswered, timeout=self._conf.intake_timeout_seconds)
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def submit(self, request: Request) -> Answer:
        """Accept `request`; returns after its commit.

        Raises `Unavailable` when PostgreSQL does not answer in time, or what the database checks found
        (`Invalid`, `KeyReused`, `InFlight`). After `Unavailable` the request may exist all the same if the answer to the
        commit was lost; repeating it with its Idempotency-Key is safe.
        """
        if len(self._waiting) >= self._conf.intake_max_waiting:
            raise Unavailable("Too many requests are waiting for the database. Try again.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.append((request, future))
        self._arrived.set()
        self._expect(future, loop)
        outcome = await future
        if isinstance(outcome, CarillonError):
            raise outcome
        return outcome

    def _expect(self, future: asyncio.Future[Outcome], loop: asyncio.AbstractEventLoop) -> None:
        """Answer `future` at its deadline if nobody else has: one timer for all, since one for each would be a fiftieth of the work."""
        unanswered = self._unanswered
        while unanswered and unanswered[0][1].done():
            unanswered.popleft()
        unanswered.append((loop.time() + self._conf.intake_timeout_seconds, future))
        if self._watch is None:
            self._watch = loop.call_at(unanswered[0][0], self._give_up, loop)

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """What is due by now is not answered any more; then wait for the next deadline."""
        self._watch = None
        unanswered = self._unanswered
        while unanswered and (unanswered[0][1].done() or unanswered[0][0] <= loop.time()):
            _, future = unanswered.popleft()
            if not future.done():
                future.set_result(Unavailable(_DETAIL))
        if unanswered:
            self._watch = loop.call_at(unanswered[0][0], self._give_up, loop)

    async def _run(self) -> None:
        connection: Connection | None = None
        since = self._outages
        try:
            while True:
                await self._arrived.wait()
                group = self._take()
                if not group:
                    continue
                try:
                    if connection is not None and since != self._outages:
                        await _abandon(connection)
                        connection = None
                    if connection is None or connection.closed:
                        since, connection = self._outages, await connect()
                    await self._commit(connection, group)
                except UNREACHABLE:
                    self._outages += 1
                    log.warning("intake_database_unreachable", waiting=len(group), exc_info=False)
                    _resolve(group, [Unavailable(_DETAIL)] * len(group))
                    if connection is not None:
                        await _abandon(connection)
                    connection = None
                except Exception:
                    log.exception("intake_failed", waiting=len(group))
                    _resolve(group, [Unavailable(_DETAIL)] * len(group))
        finally:
            if connection is not None:
                await _abandon(connection)

    def _take(self) -> list[tuple[Request, asyncio.Future[Outcome]]]:
        group: list[tuple[Request, asyncio.Future[Outcome]]] = []
        size = 0
        while self._waiting and size < self._conf.intake_max_group:
            request, future = self._waiting.popleft()
            if not future.done():  # its caller has not given up
                group.append((request, future))
                size += len(request.submissions)
        if not self._waiting:
            self._arrived.clear()
        return group

    async def _commit(self, connection: Connection, group: list[tuple[Request, asyncio.Future[Outcome]]]) -> None:
        """Write the group; if one member makes the database refuse, each is tried alone, so it harms only itself."""
        requests = [request for request, _ in group]
        try:
            outcomes = await write(connection, requests, keep_hours=self._conf.idempotency_keep_hours)
        except psycopg.OperationalError as error:
            if connection.closed or len(group) == 1 or not isinstance(error, psycopg.errors.DeadlockDetected):
                raise
            await self._singly(connection, group)
            return
        except (InFlight, *_UNWRITABLE):
            await self._singly(connection, group)
            return
        metrics.INTAKE_GROUP.observe(len(group))
        _resolve(group, outcomes)
        self._on_commit()

    async def _singly(self, connection: Connection, group: list[tuple[Request, asyncio.Future[Outcome]]]) -> None:
        """Each is answered as soon as its own commit is done: what follows may meet a lost connection."""
        for request, future in group:
            _resolve([(request, future)], [await self._alone(connection, request)])
            self._on_commit()

    async def _alone(self, connection: Connection, request: Request) -> Outcome:
        try:
            return (await write(connection, [request], keep_hours=self._conf.idempotency_keep_hours))[0]
        except InFlight as error:
            return error
        except psycopg.OperationalError:
            raise
        except _UNWRITABLE:
            log.exception("intake_refused_by_database")
            return Unavailable(_DETAIL)


def _resolve(group: list[tuple[Request, asyncio.Future[Outcome]]], outcomes: list[Outcome]) -> None:
    for (_, future), outcome in zip(group, outcomes, strict=True):
        if not future.done():
            future.set_result(outcome)


async def _abandon(connection: Connection) -> None:
    with contextlib.suppress(psycopg.Error):
        await connection.close()

"""Kept connections to one server.

Their number is bounded by the caller's `max_in_flight` and, should the server want fewer, by a semaphore here.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from delivery.transports.base import DeliveryError
from delivery.transports.email.connection import SmtpConnection
from delivery.transports.email.urls import SmtpServer

Connect = Callable[[SmtpServer], SmtpConnection]


class SmtpPool:
    """Belongs to one event loop; opens nothing before it is asked."""

    def __init__(
        self,
        server: SmtpServer,
        connect: Connect,
        *,
        max_connections: int,
        max_messages_per_connection: int,
        max_idle_seconds: float,
    ) -> None:
        self.server = server
        self._connect = connect
        self._slots = asyncio.Semaphore(min(max_connections, server.max_connections or max_connections))
        self._max_messages = max_messages_per_connection
        self._max_idle_seconds = max_idle_seconds
        self._retired = False
        self._idle: deque[SmtpConnection] = deque()
        self._reaper: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def connection(self, *, fresh: bool = False) -> AsyncIterator[SmtpConnection]:
        """A connection for one transaction, kept afterwards if it is still good; `fresh` takes no kept one.

        Raises ProviderFailure when none can be opened.
        """
        async with self._slots:
            connection = None if fresh else self._take_idle()
            if connection is None:
                connection = self._connect(self.server)
                await connection.open()
            good = False
            try:
                yield connection
                good = True
            except DeliveryError:
                # A refusal says nothing against the connection; whoever knows better has closed it.
                good = True
                raise
            finally:
                if good and connection.is_open:
                    self._keep(connection)
                else:
                    connection.abandon()

    def discard_idle(self) -> None:
        """Let go of the kept connections; the server has just closed one of them, or is to be left alone."""
        kept, self._idle = self._idle, deque()
        for connection in kept:
            connection.leave()

    def retire(self) -> None:
        """Keep nothing any more; what is under way ends as it would."""
        self._retired = True
        self._stop_reaping()
        self.discard_idle()

    async def aclose(self) -> None:
        """Say goodbye to the server."""
        self._retired = True
        self._stop_reaping()
        kept, self._idle = list(self._idle), deque()
        await asyncio.gather(*(connection.quit() for connection in kept))

    def _take_idle(self) -> SmtpConnection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            # The one used last: the others may grow old and go.
            connection = self._idle.pop()
            if connection.is_open and now - (connection.idle_since or 0.0) < self._max_idle_seconds:
                return connection
            connection.leave()
        return None

    def _keep(self, connection: SmtpConnection) -> None:
        if self._retired or connection.messages >= self._max_messages:
            connection.leave()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._reaper is None:
            self._reaper = loop.call_later(self._max_idle_seconds, self._reap)

    def _stop_reaping(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None

    def _reap(self) -> None:
        loop = asyncio.get_running_loop()
        self._reaper = None
        # Oldest first, since the pool takes and gives back at the other end.
        while self._idle:
            due = (self._idle[0].idle_since or 0.0) + self._max_idle_seconds
            if due > loop.time():
                self._reaper = loop.call_at(due, self._reap)
                break
            self._idle.popleft().leave()

"""Kept connections to the first server that can be used.

A server that cannot be reached, refuses the login or says 421 is passed over for a while and the next one is tried;
when none is left, ProviderFailure says when to come again. The number of connections is bounded by the caller's
`max_in_flight` and, should it not keep to that, by a semaphore here.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from delivery.transports.base import DeliveryError, ProviderFailure
from delivery.transports.email.connection import SmtpConnection
from delivery.transports.email.urls import SmtpServer

Connect = Callable[[SmtpServer], SmtpConnection]


class SmtpPool:
    """Belongs to one event loop; opens nothing before it is asked."""

    def __init__(
        self,
        servers: Sequence[SmtpServer],
        connect: Connect,
        *,
        max_connections: int,
        max_messages_per_connection: int,
        max_idle_seconds: float,
        server_pause_seconds: float,
    ) -> None:
        self._servers = tuple(servers)
        self._connect = connect
        self._slots = asyncio.Semaphore(max_connections)
        self._max_messages = max_messages_per_connection
        self._max_idle_seconds = max_idle_seconds
        self._pause_seconds = server_pause_seconds
        self._idle: deque[SmtpConnection] = deque()
        self._paused_until: dict[SmtpServer, float] = {}
        self._reaper: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def connection(self, *, fresh: bool = False) -> AsyncIterator[SmtpConnection]:
        """A connection for one transaction, kept afterwards if it is still good; `fresh` takes no kept one."""
        async with self._slots:
            connection = None if fresh else self._take_idle()
            if connection is None:
                connection = await self._open()
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

    def seconds_until_usable(self) -> float:
        """0 when there is a server to try now."""
        now = asyncio.get_running_loop().time()
        return max(0.0, min(self._paused_until.get(server, 0.0) for server in self._servers) - now)

    def pause(self, server: SmtpServer) -> None:
        """Pass this server over for a while; its kept connections are let go."""
        self._paused_until[server] = asyncio.get_running_loop().time() + self._pause_seconds
        self.discard_idle(server)

    def discard_idle(self, server: SmtpServer) -> None:
        """Let go of the kept connections to a server that has just closed one of them."""
        for connection in [kept for kept in self._idle if kept.server == server]:
            self._idle.remove(connection)
            connection.leave()

    async def aclose(self) -> None:
        """Say goodbye to every server."""
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
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

    async def _open(self) -> SmtpConnection:
        loop = asyncio.get_running_loop()
        failure: ProviderFailure | None = None
        for server in self._servers:
            if self._paused_until.get(server, 0.0) > loop.time():
                continue
            connection = self._connect(server)
            try:
                await connection.open()
            except ProviderFailure as exc:
                failure = exc
                self.pause(server)
            else:
                self._paused_until.pop(server, None)
                return connection
        raise failure or ProviderFailure("no_server_available")

    def _keep(self, connection: SmtpConnection) -> None:
        if connection.messages >= self._max_messages:
            connection.leave()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._reaper is None:
            self._reaper = loop.call_later(self._max_idle_seconds, self._reap)

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

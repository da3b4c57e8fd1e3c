"""How inboxes are reached in PostgreSQL: a small pool of connections, and heads read by the batch."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

import structlog
from psycopg import InterfaceError
from psycopg_pool import PoolClosed

from notifications.database import UNREACHABLE, make_pool
from notifications.inbox import reads
from notifications.inbox.batch import Batch
from notifications.inbox.reads import Connection, Head

log = structlog.get_logger(__name__)

LOG_FAILED: Final = (*UNREACHABLE, InterfaceError, PoolClosed)
"""What a read raises while PostgreSQL does not answer."""

_HEADS_AT_ONCE: Final = 500


class InboxAccess:
    """Serves one door of one process. More readers than connections wait here, not in the pool's time limit."""

    def __init__(self, *, connections: int) -> None:
        self._pool = make_pool(max_size=connections)
        self._turns = asyncio.Semaphore(connections)
        self._heads = Batch(self._fetch_heads, limit=_HEADS_AT_ONCE)
        self._failing = False

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def aclose(self) -> None:
        await self._pool.close()

    async def head(self, recipient_pk: UUID) -> Head | None:
        """The head as of now or later; None for an unknown recipient. Raises `LOG_FAILED`."""
        return await self._heads.get(recipient_pk)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit mode. Raises `LOG_FAILED`, and warns once for each outage."""
        async with self._turns:
            try:
                async with self._pool.connection() as conn:
                    yield conn
            except LOG_FAILED as error:
                if not self._failing:
                    log.warning("inbox_log_unreachable", error=type(error).__name__)
                self._failing = True
                raise
            else:
                self._failing = False

    async def _fetch_heads(self, recipient_pks: Sequence[UUID]) -> Mapping[UUID, Head]:
        async with self.connection() as conn:
            return await reads.heads(conn, recipient_pks)

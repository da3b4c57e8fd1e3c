"""Asynchronous connections to the database that Django is configured for.

The ORM serves the admin and the quieter resources; the hot paths (intake, claims, finishes, replay) speak SQL over
psycopg's own async connections on the process's event loop, without a thread hop.
"""

import asyncio
from typing import Any

from django.conf import settings
from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

UNREACHABLE = (OperationalError, InterfaceError, PoolTimeout, TimeoutError)
"""What 'PostgreSQL does not answer' looks like from here."""


def connection_options() -> dict[str, Any]:
    """libpq keyword arguments for the configured database."""
    database = settings.DATABASES["default"]
    options = {
        "dbname": database["NAME"],
        "user": database.get("USER"),
        "password": database.get("PASSWORD"),
        "host": database.get("HOST"),
        "port": database.get("PORT"),
        **{name: value for name, value in database.get("OPTIONS", {}).items() if name != "pool"},
    }
    return {name: value for name, value in options.items() if value not in (None, "")}


async def connect() -> AsyncConnection[TupleRow]:
    """One connection in autocommit mode. Raises `UNREACHABLE` within about two seconds."""
    async with asyncio.timeout(2.5):
        return await AsyncConnection.connect(**connection_options(), autocommit=True)


def make_pool(*, max_size: int) -> AsyncConnectionPool[AsyncConnection[TupleRow]]:
    """A pool in autocommit mode; open it on the loop that will use it."""
    return AsyncConnectionPool(
        kwargs={**connection_options(), "autocommit": True},
        min_size=1,
        max_size=max_size,
        timeout=2.0,
        max_idle=120.0,
        open=False,
        check=AsyncConnectionPool.check_connection,
    )

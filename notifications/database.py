"""Asynchronous connections to the database that Django is configured for.

The ORM serves the admin and the quieter resources; the hot paths (intake, claims, finishes, replay) speak SQL over
psycopg's own async connections on the process's event loop, without a thread hop.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

_RESTED_SECONDS: Final = 1.0

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


class PooledConnection(AsyncConnection[TupleRow]):
    """Remembers when it was last given back, so that only connections which rested are checked before use."""

    returned_at = 0.0


Pool = AsyncConnectionPool[PooledConnection]


async def _note_return(connection: PooledConnection) -> None:
    connection.returned_at = time.monotonic()


async def _check_rested(connection: PooledConnection) -> None:
    if time.monotonic() - connection.returned_at > _RESTED_SECONDS:
        await AsyncConnectionPool.check_connection(connection)


LOOK_UPS: Final = ("seqscan", "hashjoin", "mergejoin")
"""What to avoid so that tables are joined by look-ups: a few rows given, each found by its key."""
IN_ORDER: Final = (*LOOK_UPS, "sort", "bitmapscan")
"""What to avoid so that rows are also read in their index's order, and no further than a limit asks; for claims."""


def make_pool(*, max_size: int, avoid: Sequence[str] = (), durable: bool = True) -> Pool:
    """A pool in autocommit mode; open it on the loop that will use it.

    With `avoid` plans are made the same way whatever the statistics say: one that was made and kept while a table was empty is
    then still the right one when a million rows have come in a second. Without JIT, too: what cannot be avoided all
    the same makes a plan look so dear that it would be compiled. Not `durable`: commits do not wait for the disk, so a crash of
    PostgreSQL may undo the last ones; for what is harmless to lose, such as a lease.
    """

    async def configure(connection: PooledConnection) -> None:
        settings = ["jit = off", *(f"enable_{way} = off" for way in avoid)]
        if not durable:
            settings.append("synchronous_commit = off")
        await connection.execute(";".join(f"SET {setting}" for setting in settings))

    return AsyncConnectionPool(
        connection_class=PooledConnection,
        kwargs={**connection_options(), "autocommit": True},
        min_size=1,
        max_size=max_size,
        timeout=2.0,
        max_idle=120.0,
        # The pauses between its tries double until it gives up, and without this it would not for 5 minutes: back as late
        # as the outage was long. Giving up costs nothing, for whoever asks next makes it try again.
        reconnect_timeout=1.0,
        open=False,
        configure=configure if avoid else None,
        check=_check_rested,
        reset=_note_return,
    )

"""A clock in somebody's hands, for a whole database: what SQL calls `now()` is what it was set to.

A schema in front of `pg_catalog` in the search path holds `now()` and `statement_timestamp()`, which read a table. The product's
statements stay as they are; only sessions with `OPTIONS` see that clock. Defaults of columns keep the real one, unless the tables were
made by such a session: `public` comes first, so that tables are made where they always are.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection, Connection

SEARCH_PATH: Final = "public, hand_clock, pg_catalog"
OPTIONS: Final = f"-c search_path={SEARCH_PATH.replace(' ', '')}"
"""libpq's `options` for a session that goes by the clock."""

INSTALL: Final = """
    DROP SCHEMA IF EXISTS hand_clock CASCADE;
    CREATE SCHEMA hand_clock;
    CREATE TABLE hand_clock.clock (hand timestamptz NOT NULL);
    INSERT INTO hand_clock.clock VALUES (pg_catalog.now());
    CREATE FUNCTION hand_clock.now() RETURNS timestamptz STABLE LANGUAGE sql AS 'SELECT hand FROM hand_clock.clock';
    CREATE FUNCTION hand_clock.statement_timestamp() RETURNS timestamptz STABLE LANGUAGE sql
        AS 'SELECT hand FROM hand_clock.clock'"""
REMOVE: Final = "DROP SCHEMA IF EXISTS hand_clock CASCADE"
_SET: Final = "UPDATE hand_clock.clock SET hand = %s"


def set_clock(connection: Connection[Any], moment: datetime) -> None:
    """Put the clock to `moment`, for everybody who goes by it."""
    connection.execute(_SET, (moment,))


async def aset_clock(connection: AsyncConnection[Any], moment: datetime) -> None:
    """The same over an asynchronous connection."""
    await connection.execute(_SET, (moment,))


@dataclass(slots=True)
class Hand:
    """Where Python's clock stands: for `notifications.clock.running_by`."""

    moment: datetime

    def __call__(self) -> datetime:
        return self.moment

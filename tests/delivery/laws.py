"""The laws of `delivery.laws`, asserted."""

from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from delivery.laws import BROKEN, SINCE_EVER

_ALL: Final = {"since": SINCE_EVER}


async def assert_lawful(connection: AsyncConnection[Any]) -> None:
    """Fail with the laws that are broken and the rows that break them."""
    assert await (await connection.execute(BROKEN, _ALL)).fetchall() == []


def assert_lawful_now(connection: psycopg.Connection[Any]) -> None:
    """The same for synchronous tests."""
    assert connection.execute(BROKEN, _ALL).fetchall() == []

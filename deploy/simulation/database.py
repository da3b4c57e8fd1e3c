"""A database for one simulation, beside the configured one on the same server, and gone with it.

Its clock is a hand's (`clock.py`), for column defaults as well: its tables are made by sessions that go by that clock. Whoever
makes one holds a lock of its name on the configured database, so that a later simulation knows those whose maker
has died, and removes them.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import sql

from deploy.simulation.clock import INSTALL, OPTIONS, set_clock
from notifications.database import connection_options

Connection = psycopg.Connection[Any]

_INFIX: Final = "_simulation_"
_LONGEST: Final = 63 - len(_INFIX) - 12
_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_UNLOCK: Final = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
_NOT_DURABLE: Final = " -c synchronous_commit=off"


@contextlib.contextmanager
def throwaway_database(start: datetime) -> Iterator[None]:
    """Within, Django and `notifications.database` use an empty, migrated database whose clock stands at `start`.

    Raises psycopg errors where there is no server, or the role may not make databases.
    """
    with psycopg.connect(**connection_options(), autocommit=True) as keeper:
        prefix = keeper.info.dbname[:_LONGEST] + _INFIX
        _remove_stale(keeper, prefix)
        name = f"{prefix}{uuid4().hex[:12]}"
        keeper.execute(_LOCK, (name,))
        keeper.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            with _configured(name):
                with psycopg.connect(**connection_options(), autocommit=True) as first:
                    first.execute(INSTALL)
                    set_clock(first, start)
                call_command("migrate", interactive=False, verbosity=0)
                yield
        finally:
            _drop(keeper, name)


@contextlib.contextmanager
def _configured(name: str) -> Iterator[None]:
    """Let the default connection be to that database, by the hand clock."""
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    before = {"NAME": database["NAME"], "OPTIONS": database.get("OPTIONS", {})}
    given = before["OPTIONS"].get("options", "")
    _let_go()
    database.update(
        {"NAME": name, "OPTIONS": {**before["OPTIONS"], "options": f"{given} {OPTIONS}{_NOT_DURABLE}".strip()}}
    )
    try:
        yield
    finally:
        _let_go()
        database.update(before)


def _let_go() -> None:
    connections.close_all()
    connections[DEFAULT_DB_ALIAS].close_pool()  # type: ignore[attr-defined]  # of the PostgreSQL backend


def _remove_stale(keeper: Connection, prefix: str) -> None:
    rows = keeper.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix,)).fetchall()
    for (name,) in rows:
        (is_stale,) = keeper.execute(_LOCK, (name,)).fetchone() or (False,)
        if is_stale:
            _drop(keeper, name)
            keeper.execute(_UNLOCK, (name,))


def _drop(keeper: Connection, name: str) -> None:
    keeper.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

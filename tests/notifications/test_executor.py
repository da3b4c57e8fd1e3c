"""Synchronous work for asynchronous callers: errors come through, connections go back, and given up means never begun."""

import asyncio
import threading

import pytest
from django.db import connection, connections
from django.db.utils import OperationalError

from notifications import executor
from notifications.conf import conf
from notifications.errors import NotFound, Unavailable
from notifications.executor import in_thread
from notifications.models import Project


@pytest.fixture(autouse=True)
def _database(transactional_db: None) -> None:
    """Every call needs a connection."""


def _fail() -> None:
    raise NotFound


def _break() -> None:
    raise OperationalError("the connection is gone")


async def test_results_and_our_own_errors_come_through() -> None:
    assert await in_thread(lambda left, right: left + right, 1, right=2) == 3
    with pytest.raises(NotFound):
        await in_thread(_fail)
    with pytest.raises(Unavailable):
        await in_thread(_break)


async def test_a_hundred_callers_share_few_threads_and_connections() -> None:
    def work() -> tuple[int, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return threading.get_ident(), int(cursor.fetchone()[0])

    seen = await asyncio.gather(*(in_thread(work) for _ in range(100)))
    assert len({thread for thread, _ in seen}) <= conf().executor_threads
    assert len({backend for _, backend in seen}) <= conf().executor_threads


async def test_the_connection_is_given_back() -> None:
    def work() -> bool:
        connection.ensure_connection()
        return connection.connection is not None

    assert await in_thread(work)
    pool = connections["default"].pool
    assert pool is not None
    given_out = pool.get_stats()["pool_size"] - pool.get_stats()["pool_available"]
    assert given_out <= 1  # the test's own


async def test_what_was_given_up_is_never_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_PATIENCE_SECONDS", 0.2)
    free = threading.Event()
    blocked = [asyncio.ensure_future(in_thread(free.wait)) for _ in range(conf().executor_threads)]
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable):
        await in_thread(Project.objects.create, name="never")
    free.set()
    assert all(await asyncio.gather(*blocked))
    await in_thread(Project.objects.create, name="later")
    assert await in_thread(lambda: list(Project.objects.values_list("name", flat=True))) == ["later"]

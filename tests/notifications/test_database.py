"""The pool of asynchronous connections."""

import asyncio
from pathlib import Path

import pytest
from django.conf import settings
from psycopg_pool import PoolTimeout

from notifications.database import Pool, make_pool

# Doubling pauses would have their next try 7 s after the end of such an outage.
OUTAGE_SECONDS = 8.0
PATIENCE_SECONDS = 5.0


async def answers(pool: Pool) -> bool:
    try:
        async with pool.connection() as connection:
            await connection.execute("SELECT 1")
    except PoolTimeout:
        return False
    return True


async def test_a_pool_is_back_soon_however_long_the_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = f"{settings.DATABASES['default']['HOST']}/.s.PGSQL.5432"
    away = tmp_path / ".s.PGSQL.5432"
    monkeypatch.setitem(settings.DATABASES["default"], "HOST", str(tmp_path))
    async with make_pool(max_size=2) as pool:
        loop = asyncio.get_running_loop()
        ends = loop.time() + OUTAGE_SECONDS
        while loop.time() < ends:
            assert not await answers(pool)
        away.symlink_to(real)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await answers(pool):
                pass

"""Do PostgreSQL and Redis answer, each within a second, and is anybody at work? Callers that come together share one look."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from psycopg.errors import UndefinedTable
from redis.asyncio import Redis
from redis.exceptions import RedisError

from delivery.heartbeats import READ, missing, read_pulses
from delivery.provider_standing import ALL_PAUSED
from notifications.database import UNREACHABLE, connect

_PATIENCE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """What answered, and by role what is not at work. Without PostgreSQL nobody can know the latter."""

    postgres: bool
    redis: bool
    missing: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The body of `/readyz`: `degraded` names what is not as it should be, `details` says it in a sentence each."""
        said = {
            **({} if self.postgres else {"postgresql": "PostgreSQL does not answer: nothing can be accepted."}),
            **({} if self.redis else {"redis": "Redis does not answer: wake-ups and live messages come later."}),
            **self.missing,
        }
        return {
            "status": "ready" if self.postgres else "unavailable",
            "degraded": list(said),
            "details": list(said.values()),
            "version": settings.CARILLON_VERSION,
            "instance": settings.CARILLON_INSTANCE,
        }


_looking: asyncio.Task[Readiness] | None = None


async def check_readiness() -> Readiness:
    """Look now, or join a look that is under way."""
    global _looking
    if _looking is None or _looking.done():
        _looking = asyncio.create_task(_look())
    return await asyncio.shield(_looking)


async def _look() -> Readiness:
    absent, redis = await asyncio.gather(_postgres(), _all_redis())
    return Readiness(absent is not None, redis, absent or {})


async def _postgres() -> Mapping[str, str] | None:
    """Who is missing; None when PostgreSQL does not answer."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            connection = await connect()
            try:
                absent = missing(read_pulses(await (await connection.execute(READ)).fetchall()))
                paused = await (await connection.execute(ALL_PAUSED)).fetchall()
                return absent | {
                    f"{channel}_providers": f"Every provider of {channel} is paused: its deliveries wait."
                    for (channel,) in paused
                }
            except UndefinedTable:
                return {}  # an older schema during an upgrade; it answers
            finally:
                await connection.close()
    except UNREACHABLE:
        return None


async def _all_redis() -> bool:
    return all(await asyncio.gather(*(_redis(url) for url in settings.REDIS_URLS)))


async def _redis(url: str) -> bool:
    client = Redis.from_url(url, socket_connect_timeout=_PATIENCE_SECONDS, socket_timeout=_PATIENCE_SECONDS)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await client.ping()
    except (RedisError, OSError, TimeoutError):
        return False
    finally:
        await client.aclose()
    return True

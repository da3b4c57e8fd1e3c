"""Do PostgreSQL and Redis answer, each within a second? Callers that come together share one look."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from psycopg.errors import UndefinedTable
from redis.asyncio import Redis
from redis.exceptions import RedisError

from delivery.provider_standing import ALL_PAUSED
from notifications.database import UNREACHABLE, connect

_PATIENCE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """What answered."""

    postgres: bool
    redis: bool
    paused_channels: tuple[str, ...] = ()
    """Every provider is paused: deliveries wait, requests are served."""

    def document(self) -> dict[str, Any]:
        """The body of `/readyz`."""
        return {
            "status": "ready" if self.postgres else "unavailable",
            "degraded": [
                *(name for name, answers in (("postgresql", self.postgres), ("redis", self.redis)) if not answers),
                *(f"{channel}_providers" for channel in self.paused_channels),
            ],
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
    paused, redis = await asyncio.gather(_postgres(), asyncio.gather(*(_redis(url) for url in settings.REDIS_URLS)))
    return Readiness(paused is not None, all(redis), paused or ())


async def _postgres() -> tuple[str, ...] | None:
    """The channels whose providers are all paused; None: no answer."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            connection = await connect()
            try:
                return tuple(channel for (channel,) in await (await connection.execute(ALL_PAUSED)).fetchall())
            except UndefinedTable:
                return ()  # not migrated yet
            finally:
                await connection.close()
    except UNREACHABLE:
        return None


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

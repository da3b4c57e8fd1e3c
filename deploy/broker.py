"""kombu's Redis transport, with one answer put right.

A worker that has given up a lost connection still acknowledges the tasks that were under way, on the old channel. kombu then asks
the transport for an address it no longer has and raises AttributeError, which ends the whole worker; said as the lost connection
that it is, Celery notes it and goes on. Nothing depends on the acknowledgement: messages are only wake-ups.
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import ConnectionError as RedisConnectionError


class Channel(redis.Channel):
    """Knows when its connection has been closed."""

    def _connparams(self, asynchronous: bool = False) -> Any:
        if self.connection is None or self.connection.client is None:
            raise RedisConnectionError("the channel's connection is closed")
        return super()._connparams(asynchronous)  # type: ignore[misc]


class Transport(redis.Transport):
    """For the schemes of Redis."""

    Channel = Channel


def install() -> None:
    """Let kombu take this transport wherever a URL says `redis` or `rediss`."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"

"""A command or two, GET and PUBLISH, as quickly as redis-py's connections allow.

Its client measures, retries and starts a task for each command's write; where one command is most of a request, or of the way of
a message, that is most of the command. Time limits are the caller's.
"""

import asyncio
from typing import Any, Final

from channels_redis.utils import create_pool
from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection

_CONNECTIONS: Final = 8


class QuickClient:
    """Of one Redis. Open nothing before the loop that uses it runs."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._pool = create_pool({**options, "socket_timeout": None})
        self._idle: list[AbstractConnection] = []
        self._turns = asyncio.Semaphore(_CONNECTIONS)

    async def get(self, key: str) -> bytes | None:
        """The value; None when there is none. Raises `REDIS_FAILED`."""
        value: bytes | None
        [value] = await self._ask(("GET", key))
        return value

    async def publish(self, channel: str, message: bytes, *, asking: str) -> bytes | None:
        """Publish once, or, when it raises `REDIS_FAILED`, maybe not at all; the value of the key `asking` as it is then."""
        value: bytes | None
        # In this order the server writes to the listeners first and to us then, who would have the processor otherwise.
        value, _ = await self._ask(("GET", asking), ("PUBLISH", channel, message))
        return value

    async def _ask(self, *commands: tuple[Any, ...]) -> list[Any]:
        """The answers to commands that are sent with one write."""
        async with self._turns:
            connection = self._idle.pop() if self._idle else self._pool.make_connection()
            try:
                await connection.send_packed_command(b"".join(map(pack_command, commands)), check_health=False)
                answers = [await connection.read_response() for _ in commands]
            except BaseException:
                # What was asked may still be answered, to whoever asks next on this connection; the others are no better.
                await connection.disconnect(nowait=True)
                await self.aclose()
                raise
            self._idle.append(connection)
            return answers

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().disconnect()

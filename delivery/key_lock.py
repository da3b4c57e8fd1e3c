"""No stage works before the encryption keys have proved to be the database's.

A worker with wrong keys refuses to start; this is for one that was started while the database was away.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from notifications.canary import WrongKey, verify_key

log = structlog.get_logger(__name__)

_AGAIN_SECONDS: Final = 30.0


class KeyLock:
    """Opens once, for all stages of an engine."""

    def __init__(self) -> None:
        self._open = False
        self._asking = asyncio.Lock()
        self._refused_at = float("-inf")

    def guard(self, step: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
        """`step`, which finds nothing to do while the keys are wrong."""

        async def guarded() -> bool:
            return (self._open or await self._ask()) and await step()

        return guarded

    async def _ask(self) -> bool:
        async with self._asking:
            if not self._open and time.monotonic() - self._refused_at > _AGAIN_SECONDS:
                try:
                    await asyncio.to_thread(verify_key)
                    self._open = True
                except WrongKey as error:
                    log.critical("encryption_keys_are_wrong", error=str(error))
                    self._refused_at = time.monotonic()
            return self._open

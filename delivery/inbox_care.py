"""The stage that looks after inboxes: messages expire when their time has come, and what is beyond retention goes.

Every worker process does it, now and then; rows are locked, so that they share the work and nothing happens twice.
"""

import random
import time
from collections.abc import Callable
from typing import Final

from notifications.database import Pool
from notifications.events import LiveEvent
from notifications.inbox.expiry import expire_due
from notifications.inbox.keep import Keep
from notifications.inbox.retention import Retention

_EVERY_SECONDS: Final = 2.0
_PASS_SECONDS: Final = 3600.0


class InboxCare:
    """`step` it whenever there is a moment; it does something only when it is time."""

    def __init__(self, pool: Pool, keep: Keep, push: Callable[[list[LiveEvent]], None]) -> None:
        self._pool = pool
        self._keep = keep
        self._push = push
        self._look_at = float("-inf")
        self._pass: Retention | None = None
        # Not with the start, which has enough to do, and not in all processes at once.
        self._pass_at = time.monotonic() + _PASS_SECONDS * random.uniform(0.1, 1)  # noqa: S311 - spreads load

    async def step(self) -> bool:
        """One batch; whether more may be to do at once."""
        now = time.monotonic()
        if now < self._look_at:
            return False
        async with self._pool.connection() as connection:
            events, more = await expire_due(connection)
            self._push(events)
            if not more and now >= self._pass_at:
                self._pass = self._pass or Retention(self._keep)
                events, more = await self._pass.step(connection)
                self._push(events)
                if not more:
                    self._pass, self._pass_at = None, now + _PASS_SECONDS
        self._look_at = now if more else now + _EVERY_SECONDS
        return more

"""Tells live listeners about changes that are committed. A hint that is lost costs time, never a change."""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from prometheus_client import Counter

from notifications.events import Hint
from notifications.inbox.head_cache import advance, key_of
from notifications.inbox.layer import live_layer
from notifications.inbox.shard import REDIS_FAILED

log = structlog.get_logger(__name__)

HINTS_LOST: Final = Counter("carillon_inbox_hints_lost", "Live events that Redis did not take whole")

_TIMEOUT_SECONDS: Final = 2.0


class _Publisher:
    """Remembers whether Redis answered last time, so that an outage is one warning."""

    def __init__(self) -> None:
        self._failing = False

    async def publish(self, events: Sequence[Hint]) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await _tell(events)
        except REDIS_FAILED as error:
            HINTS_LOST.inc(len(events))
            if not self._failing:
                log.warning("inbox_publish_failed", error=type(error).__name__)
            self._failing = True
        else:
            self._failing = False


async def _tell(events: Sequence[Hint]) -> None:
    if len(events) > 1:
        await asyncio.gather(live_layer().publish_hints(events), advance(events))
        return
    # Nearly no inbox has its head asked for just now: that of this one is looked for on the way. Who finds no place for it
    # after this will lease one, and read what was committed before this.
    [hint] = events
    if await live_layer().publish_one(hint, asking=key_of(hint["recipient"])) is not None:
        await advance(events)


_publisher = _Publisher()


async def publish(events: Sequence[Hint]) -> None:
    """Send committed changes to whoever listens, in order, and to the cache of heads. Raises nothing when Redis is away; waits 2 s at most."""
    if events:
        await _publisher.publish(events)

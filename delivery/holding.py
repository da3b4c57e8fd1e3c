"""While every provider of a channel is paused its deliveries wait where they are: unclaimed, so that no attempt is burned.

Only as many are claimed as there are providers due for a probe. What waits past its own `expires_at`, or longer than
anything is tried (`MAX_AGE`), ends all the same.
"""

import sys
import time
from typing import Any, Final

import structlog

from delivery.retries import MAX_AGE
from delivery.status_events.recording import DELIVERY_COLUMNS, delivery_facts, recording
from delivery.transports.base import Transport
from delivery.transports.providers import ProviderSet
from notifications.database import Pool

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 10.0
_END_OVERDUE: Final = f"""
    WITH due AS (
        SELECT id FROM delivery_delivery
         WHERE channel = %(channel)s AND available_at <= now()
           AND (expires_at <= now() OR coalesce(replayed_at, created_at) < now() - %(max_age)s)
         LIMIT 1000 FOR UPDATE SKIP LOCKED),
    ended AS (
        UPDATE delivery_delivery d
       SET state = CASE WHEN d.expires_at <= now() THEN 'expired' ELSE 'failed' END,
           reason = CASE WHEN d.expires_at <= now() THEN 'expires_at_passed' ELSE 'retried_too_long' END,
           available_at = NULL, finished_at = now(), lease_token = NULL
      FROM due WHERE d.id = due.id
        RETURNING {DELIVERY_COLUMNS}),
    {recording(delivery_facts("ended"))}
    SELECT FROM ended"""  # noqa: S608 - composed of our own text


class ProviderHold:
    """How much of one channel may be begun, as its transport's providers are."""

    def __init__(self, transport: Transport[Any], pool: Pool) -> None:
        self._channel = transport.channel
        self._pool = pool
        self._providers: ProviderSet[Any] | None = getattr(transport, "providers", None)
        self._looked_at = float("-inf")

    def bound(self, running: int) -> int:
        """How many more may be claimed while `running` are under way."""
        capacity = None if self._providers is None else self._providers.capacity()
        return sys.maxsize if capacity is None else max(0, capacity - running)

    async def end_overdue(self) -> None:
        """End what has waited too long; now and then, by one statement over open rows."""
        if time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_END_OVERDUE, {"channel": self._channel, "max_age": MAX_AGE})
        if cursor.rowcount:
            log.warning("deliveries_ended_while_providers_are_paused", channel=self._channel, count=cursor.rowcount)

"""Keeping deliveries out of each other's way in one lane: who may go now, who waits his turn, who is put off.

In this order: the rate limits and open circuits, asked for a whole batch while its connection is at hand; then, for each attempt, the
places of its endpoint; then its turn among the projects. Who is put off is given back for a later time as if he had never
been claimed.
"""

import contextlib
import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.breaker import Breaker
from delivery.caps import Caps
from delivery.claims import Claim
from delivery.conf import DeliveryConf
from delivery.limits import Limits
from delivery.transports.base import DeliveryError, PermanentFailure, ProviderFailure, Receipt
from delivery.troubles import Health, take_probes
from delivery.turns import Turns

Connection = AsyncConnection[TupleRow]

_REMEMBERED: Final = 10_000
_PROBE_MARGIN_SECONDS: Final = 5.0
_BESIDE_PROBE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now, but in so many seconds."""

    reason: str
    seconds: float


class Isolation:
    """One lane's; on its event loop."""

    def __init__(self, channel: str, *, places: int, conf: DeliveryConf) -> None:
        self._conf = conf
        self._limits = Limits(channel)
        self._caps = Caps(conf.endpoint_in_flight)
        self._turns = Turns(places)
        self._breakers: OrderedDict[UUID, Breaker] = OrderedDict()

    async def admit(self, connection: Connection, claims: Sequence[Claim]) -> dict[UUID, Hold]:
        """By token those of a claimed batch that cannot go now."""
        holds = {
            token: Hold("rate_limited", seconds)
            for token, seconds in (await self._limits.spend(connection, claims)).items()
        }
        half_open = [item for item in claims if item.trips and item.endpoint_id and item.token not in holds]
        if half_open:
            endpoints = {item.endpoint_id for item in half_open if item.endpoint_id}
            seconds = self._conf.attempt_timeout_seconds + _PROBE_MARGIN_SECONDS
            mine = await take_probes(connection, endpoints, seconds=seconds)
            for item in half_open:
                if item.endpoint_id in mine:
                    mine.remove(item.endpoint_id)
                else:
                    holds[item.token] = Hold("circuit_open", random.uniform(1, 2) * _BESIDE_PROBE_SECONDS)  # noqa: S311 - spreads load
        return holds

    @contextlib.asynccontextmanager
    async def turn(self, item: Claim, hold: Hold | None) -> AsyncIterator[Hold | None]:
        """Wait for this attempt's turn; a Hold when it shall not go now, as `admit` said or because its endpoint is busy."""
        if hold is not None:
            yield hold
            return
        if item.endpoint_id is not None:
            seconds = await self._caps.enter(item.endpoint_id, item.token)
            if seconds is not None:
                yield Hold("endpoint_busy", seconds)
                return
        try:
            await self._turns.enter(item.project_id, critical=item.critical)
            try:
                yield None
            finally:
                self._turns.leave()
        finally:
            if item.endpoint_id is not None:
                self._caps.leave(item.endpoint_id, item.token)

    def health(self, item: Claim, result: Receipt | DeliveryError) -> Health | None:
        """What is worth recording about the endpoint after this attempt; None for a success of a healthy one."""
        if item.endpoint_id is None or not _is_the_endpoints(result):
            return None
        ok = isinstance(result, Receipt)
        wait = self._breaker(item.endpoint_id).note(ok=ok, trips=item.trips or 0)
        if ok and item.trips is None:
            return None
        return Health(item.endpoint_id, ok, None if wait is None else (item.trips or 0) + 1, wait)

    def _breaker(self, endpoint_id: UUID) -> Breaker:
        breaker = self._breakers.get(endpoint_id)
        if breaker is None:
            breaker = self._breakers[endpoint_id] = Breaker(self._conf.breaker)
            if len(self._breakers) > _REMEMBERED:
                self._breakers.popitem(last=False)
        else:
            self._breakers.move_to_end(endpoint_id)
        return breaker


def _is_the_endpoints(result: Receipt | DeliveryError) -> bool:
    """Whether the other side is what succeeded or failed, and not we ourselves."""
    if isinstance(result, ProviderFailure) or (isinstance(result, DeliveryError) and result.reason == "internal_error"):
        return False
    return not isinstance(result, PermanentFailure) or bool(result.response)

"""How many attempts one endpoint may have in flight in this process, and what becomes of the others.

Who finds all places taken waits here while a place is to be expected soon, and is else put off: the caller gives the delivery
back for a later time. Those times are spread as the endpoint works its queue off, place by place, so that a hundred thousand
deliveries for a slow endpoint are not claimed and given back again and again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

PATIENCE_SECONDS: Final = 1.0
LONGEST_DELAY_SECONDS: Final = 300.0
_SHORTEST_DELAY_SECONDS: Final = 1.0
_MEMORY: Final = 0.2  # of a moving average


@dataclass(slots=True)
class _Endpoint:
    began: dict[object, float] = field(default_factory=dict)
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    usual_seconds: float = 0.0
    planned_until: float = 0.0


class Caps:
    """The places of all endpoints of one lane; on one event loop. Remembers only endpoints that are in use or put off."""

    def __init__(self, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock
        self._endpoints: dict[UUID, _Endpoint] = {}

    async def enter(self, endpoint_id: UUID, ticket: object) -> float | None:
        """None: go, and `leave` with the same ticket. A number: come again in so many seconds."""
        endpoint = self._endpoints.setdefault(endpoint_id, _Endpoint())
        if len(endpoint.began) >= self._places:
            if self._expected_wait(endpoint) > PATIENCE_SECONDS:
                return self._put_off(endpoint)
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            endpoint.waiting.append(place)
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await place
            except TimeoutError:
                if place not in endpoint.began:  # else it was handed over at this very moment
                    return self._put_off(endpoint)
            except asyncio.CancelledError:
                if place in endpoint.began:
                    self.leave(endpoint_id, place)
                raise
            del endpoint.began[place]
        endpoint.began[ticket] = self._clock()
        return None

    def leave(self, endpoint_id: UUID, ticket: object) -> None:
        """The attempt is over; the next who waits goes."""
        endpoint = self._endpoints[endpoint_id]
        seconds = self._clock() - endpoint.began.pop(ticket)
        endpoint.usual_seconds += (seconds - endpoint.usual_seconds) * _MEMORY
        while endpoint.waiting:
            place = endpoint.waiting.popleft()
            if not place.done():
                endpoint.began[place] = self._clock()  # nobody comes in between
                place.set_result(None)
                return
        if not endpoint.began and endpoint.planned_until < self._clock():
            del self._endpoints[endpoint_id]

    def _pace(self, endpoint: _Endpoint) -> float:
        """Seconds per place given free: as usual, or slower when even the latest attempt has been under way for longer.

        Not the oldest: one slow answer among quick ones says nothing about the other places.
        """
        newest = next(reversed(endpoint.began.values()), self._clock())
        return max(endpoint.usual_seconds, self._clock() - newest) / self._places

    def _expected_wait(self, endpoint: _Endpoint) -> float:
        return self._pace(endpoint) * max(self._places, len(endpoint.waiting) + 1)

    def _put_off(self, endpoint: _Endpoint) -> float:
        now = self._clock()
        first = now + _SHORTEST_DELAY_SECONDS
        endpoint.planned_until = max(endpoint.planned_until, first) + self._pace(endpoint)
        if endpoint.planned_until > now + LONGEST_DELAY_SECONDS:
            endpoint.planned_until = first  # around again: the longest delay is also what later ones are spread over
        return endpoint.planned_until - now

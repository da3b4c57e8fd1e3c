"""Who is to be looked at when, without looking at everybody: sockets in buckets by the moment they are due."""

import math
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Placed(Protocol):
    """What lies in a wheel remembers where, 0 when nowhere."""

    place: int


T = TypeVar("T", bound=Placed)


class Wheel(Generic[T]):
    """`step` is how far apart buckets are: what is due is taken with the first `take` after its moment has gone by."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._buckets: dict[int, set[T]] = {}

    def put(self, item: T, moment: float) -> None:
        """Have `item` taken once `moment` has come, and not when it was to be before."""
        place = 0 if moment == math.inf else int(moment / self._step) + 1
        if place == item.place:
            return
        self.remove(item)
        if place:
            item.place = place
            self._buckets.setdefault(place, set()).add(item)

    def remove(self, item: T) -> None:
        """Have it taken never."""
        bucket = self._buckets.get(item.place)
        if bucket is not None:
            bucket.discard(item)
            if not bucket:
                del self._buckets[item.place]
        item.place = 0

    def take(self, now: float) -> Iterator[T]:
        """What has come due."""
        for place in sorted(place for place in self._buckets if place * self._step <= now):
            for item in self._buckets.pop(place):
                item.place = 0
                yield item

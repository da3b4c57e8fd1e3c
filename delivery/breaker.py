"""When to leave an endpoint alone: the circuit breaker's decisions. Pure; the clock is given.

    closed ──at least 10 outcomes, 70 % of them failures, in 5 min──> open ──wait──> half open ──probe succeeds──> closed
                                                                        ^──probe fails, wait doubled──┘

Two memories with different lives. The outcomes of the last minutes are counted here, per process: they are many, and a process that
forgets them, or sees only its share, opens a little later. That a circuit is open, how often in a row and until when, is in
PostgreSQL (`EndpointTrouble`), written when it changes: it holds for every process, outlives restarts, and is read by the claim
itself, so what waits for a dead endpoint never leaves the database.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerConf:
    """`wait_seconds` doubles with every probe that fails, up to `longest_wait_seconds`."""

    window_seconds: float = 300.0
    least_outcomes: int = 10
    failing_share: float = 0.7
    wait_seconds: float = 30.0
    longest_wait_seconds: float = 900.0

    def __post_init__(self) -> None:
        if not 0 < self.failing_share <= 1 or self.least_outcomes < 1:
            raise ValueError("failing_share must be above 0 and at most 1, least_outcomes at least 1")
        if not 0 < self.wait_seconds <= self.longest_wait_seconds or self.window_seconds <= 0:
            raise ValueError("0 < wait_seconds <= longest_wait_seconds and window_seconds > 0 are needed")


class Breaker:
    """The outcomes of one endpoint in this process, in two halves of the window, so that old ones fade."""

    __slots__ = ("_before", "_clock", "_conf", "_half_began", "_now")

    def __init__(self, conf: BreakerConf, clock: Callable[[], float] = time.monotonic) -> None:
        self._conf = conf
        self._clock = clock
        self._half_began = clock()
        self._now = (0, 0)  # outcomes, failures
        self._before = (0, 0)

    def note(self, *, ok: bool, trips: int) -> float | None:
        """One more outcome of an attempt made when the circuit had opened `trips` times in a row (0: closed; else a probe).

        The seconds to wait when the circuit opens with this, else None.
        """
        if trips:
            self._forget()
            return None if ok else self._wait(trips + 1)
        self._turn()
        outcomes, failures = self._now
        self._now = (outcomes + 1, failures + (not ok))
        if ok or not self._is_failing():
            return None
        self._forget()
        return self._wait(1)

    def _is_failing(self) -> bool:
        outcomes, failures = (new + old for new, old in zip(self._now, self._before, strict=True))
        return outcomes >= self._conf.least_outcomes and failures >= self._conf.failing_share * outcomes

    def _wait(self, trips: int) -> float:
        return min(self._conf.wait_seconds * 2.0 ** min(trips - 1, 30), self._conf.longest_wait_seconds)

    def _turn(self) -> None:
        half = self._conf.window_seconds / 2
        age = self._clock() - self._half_began
        if age < half:
            return
        self._before = self._now if age < 2 * half else (0, 0)
        self._now = (0, 0)
        self._half_began = self._clock()

    def _forget(self) -> None:
        self._now = self._before = (0, 0)
        self._half_began = self._clock()

"""Whether a provider can be used, as one process sees it: a circuit breaker. Pure; times are seconds of one monotonic clock.

    ready ──down, or too much trouble──> paused ──its time is over──> one probe ──worked──> ready
                                            ^                            │
                                            └──── twice as long ─────────┘

*Down* pauses at once: not reached, login refused, 421. *Trouble* is a transaction that ended badly for a reason that
is not the recipient: it pauses when it is at least half of at least twenty transactions within a minute, or when
several in a row got no answer at all. The probe is the next real message; while it is out, others go elsewhere.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

AUTHENTICATION_REFUSED: Final = "authentication_refused"
FAILING: Final = "failing"


class CameTo(Enum):
    """How one use of a provider ended, seen from the provider's side."""

    WORKED = auto()
    """It did its part, whatever it said about the recipient."""
    TROUBLE = auto()
    SILENCE = auto()
    """Trouble of which nothing is known: the answer never came."""
    DOWN = auto()
    NOTHING = auto()
    """Given up from our side; says nothing."""


class News(Enum):
    """What others should hear of."""

    PAUSED = auto()
    RECOVERED = auto()
    """The probe worked."""
    PROVEN = auto()
    """The first success of this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthPolicy:
    """When to pause, and for how long: the first pause, doubled with every one that follows without a success."""

    pause_seconds: float = 10.0
    authentication_pause_seconds: float = 60.0
    max_pause_seconds: float = 600.0
    window_seconds: float = 60.0
    least_in_window: int = 20
    trouble_share: float = 0.5
    silences_in_a_row: int = 5


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What other processes and people should know. `pause_seconds` are those that are left."""

    paused: bool
    reason: str
    pause_seconds: float
    failures: int


@dataclass(slots=True)
class Use:
    """One use under way; ends once."""

    is_probe: bool
    ended: bool = False


class Health:
    """The breaker of one provider."""

    def __init__(self, policy: HealthPolicy) -> None:
        self._policy = policy
        self._reason = ""
        self._paused_until: float | None = None
        self._failures = 0
        self._probing = False
        self._proven = False
        self._recent: deque[tuple[float, bool]] = deque()
        self._silences = 0

    @property
    def is_paused(self) -> bool:
        return self._paused_until is not None

    def report(self, now: float) -> HealthReport:
        left = 0.0 if self._paused_until is None else max(0.0, self._paused_until - now)
        return HealthReport(self.is_paused, self._reason, left, self._failures)

    def seconds_until_usable(self, now: float) -> float:
        """0 when it may be used, or probed, now; a probe under way counts as a short wait."""
        if self._paused_until is None:
            return 0.0
        return max(self._paused_until - now, self._policy.pause_seconds if self._probing else 0.0, 0.0)

    def may_probe(self, now: float) -> bool:
        return self._paused_until is not None and self._paused_until <= now and not self._probing

    def begin(self, now: float) -> Use | None:
        """Use it, as the probe if one is due; None: not now."""
        if self._paused_until is None:
            return Use(is_probe=False)
        if not self.may_probe(now):
            return None
        self._probing = True
        return Use(is_probe=True)

    def end(self, use: Use, came_to: CameTo, now: float, *, reason: str = "") -> News | None:
        """Note how it ended; what is new by that. `reason` is a word for machines."""
        if use.ended:
            return None
        use.ended = True
        if use.is_probe:
            self._probing = False
        if came_to is CameTo.NOTHING:
            return None
        if came_to is CameTo.WORKED:
            return self._worked(use, now)
        # Of many uses that were under way when it went down, the first one's word is enough.
        if self.is_paused and not use.is_probe:
            return None
        if came_to is CameTo.DOWN or use.is_probe or self._is_too_much(came_to, now):
            return self._pause(reason if came_to is CameTo.DOWN and reason else FAILING, now)
        return None

    def adopt(self, report: HealthReport, now: float) -> None:
        """Believe another process that knows more."""
        self._paused_until = now + report.pause_seconds if report.paused else None
        self._reason, self._failures, self._proven = report.reason, report.failures, not report.paused
        self._forget()

    def _worked(self, use: Use, now: float) -> News | None:
        if self.is_paused and not use.is_probe:
            return None
        news = None if self._proven else News.PROVEN
        if use.is_probe:
            self._paused_until, self._reason, self._failures = None, "", 0
            self._forget()
            news = News.RECOVERED
        self._silences = 0
        self._proven = True
        self._note(now, bad=False)
        return news

    def _is_too_much(self, came_to: CameTo, now: float) -> bool:
        policy = self._policy
        self._silences = self._silences + 1 if came_to is CameTo.SILENCE else 0
        self._note(now, bad=True)
        bad = sum(1 for _, was_bad in self._recent if was_bad)
        many = len(self._recent) >= policy.least_in_window and bad >= policy.trouble_share * len(self._recent)
        return many or self._silences >= policy.silences_in_a_row

    def _note(self, now: float, *, bad: bool) -> None:
        self._recent.append((now, bad))
        while self._recent[0][0] < now - self._policy.window_seconds:
            self._recent.popleft()

    def _pause(self, reason: str, now: float) -> News:
        policy = self._policy
        refused = reason == AUTHENTICATION_REFUSED
        first = policy.authentication_pause_seconds if refused else policy.pause_seconds
        self._paused_until = now + min(first * 2 ** min(self._failures, 20), policy.max_pause_seconds)
        self._failures += 1
        self._reason = reason
        self._proven = False
        self._forget()
        return News.PAUSED

    def _forget(self) -> None:
        self._recent.clear()
        self._silences = 0

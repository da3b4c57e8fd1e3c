"""What follows from an attempt's outcome: the next state, and when to look again. Pure.

Waiting times are the contract's table per channel with jitter; `Retry-After` is honoured between the table's step and
max(2 x step, 1 h), at most 24 h. A failure of our own provider burns no step, so an outage of a mail relay costs
nobody his retries, but nothing is tried for longer than `MAX_AGE`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from delivery.reasons import explain
from delivery.states import State
from delivery.transports.base import (
    AmbiguousOutcome,
    DeliveryError,
    PermanentFailure,
    ProviderFailure,
    Receipt,
    Suppressed,
    TemporaryFailure,
)

MAX_AGE: Final = timedelta(days=5)
MOST_STEPS: Final = 20
_HOUR: Final = 3600.0
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a delivery stands after an attempt. `delay_seconds` is None exactly in terminal states."""

    state: State
    reason: str
    outcome: str
    delay_seconds: float | None = None
    retry_step: int = 0
    disable_endpoint: bool = False
    suppress: bool = False
    """Nobody is at the address: it goes on the suppression list."""
    unbegun: bool = False
    """The claim is taken back: no attempt was made and none is recorded."""


def judge(
    result: Receipt | DeliveryError,
    *,
    retry_step: int,
    schedule: Sequence[float],
    jitter: float,
    provider_pause: float,
    age: timedelta,
) -> Verdict:
    """The verdict on one attempt of a delivery that has used `retry_step` steps of `schedule` (seconds)."""
    if isinstance(result, Receipt):
        return Verdict(State.SENT, "accepted", "accepted", retry_step=retry_step)
    if isinstance(result, Suppressed):
        return Verdict(State.SUPPRESSED, result.reason, result.reason, retry_step=retry_step)
    if isinstance(result, PermanentFailure):
        return Verdict(
            State.FAILED,
            result.reason,
            result.reason,
            retry_step=retry_step,
            disable_endpoint=result.disable_endpoint,
            suppress=result.suppress,
        )
    assert isinstance(result, TemporaryFailure)
    if age > MAX_AGE:
        return Verdict(State.FAILED, "retried_too_long", result.reason, retry_step=retry_step)
    if isinstance(result, ProviderFailure):
        delay = max(provider_pause, min(result.retry_after or 0.0, _HOUR))
        return Verdict(State.RETRYING, result.reason, result.reason, _spread(delay, jitter), retry_step)
    if retry_step >= len(schedule):
        return Verdict(State.FAILED, result.reason, result.reason, retry_step=retry_step)
    outcome = "ambiguous" if isinstance(result, AmbiguousOutcome) else result.reason
    delay = waiting_time(schedule[retry_step], result.retry_after, jitter)
    return Verdict(State.RETRYING, result.reason, outcome, delay, retry_step + 1)


def check_schedule(seconds: Sequence[float]) -> None:
    """Whether these waiting times can be a retry schedule; none means a single attempt. Raises ValueError."""
    if len(seconds) > MOST_STEPS:
        raise ValueError(f"At most {MOST_STEPS} steps.")
    if not all(1 <= step <= _DAY for step in seconds):
        raise ValueError(f"Each step has 1 to {_DAY:.0f} seconds.")
    if sum(seconds) > MAX_AGE.total_seconds():
        raise ValueError(f"All steps together have at most {MAX_AGE.days} days; nothing is tried for longer.")


def is_provider_pause(channel: str, reason: str) -> bool:
    """Whether a delivery that is retrying for `reason` waits for our own provider, which uses no retry step."""
    # Of a webhook it is the receiver that cannot be connected to, of mail our own server.
    return explain(reason).provider or (channel == "email" and reason == "connect_timeout")


def withhold(reason: str, retry_step: int) -> Verdict:
    """For a delivery whose address was suppressed after it was routed: it ends without touching the network."""
    return Verdict(State.SUPPRESSED, reason, reason, retry_step=retry_step)


def give_back(retry_step: int) -> Verdict:
    """For a delivery that was claimed but not begun: due again at once, no retry step used."""
    return Verdict(State.QUEUED, "", "not_begun", 0.0, retry_step)


def put_off(reason: str, delay_seconds: float, *, attempt: int, retry_step: int) -> Verdict:
    """For a delivery whose endpoint or limit cannot take it now: due again later, as if it had not been claimed."""
    state = State.RETRYING if attempt > 1 else State.QUEUED
    return Verdict(state, reason, "", delay_seconds, retry_step, unbegun=True)


def waiting_time(step: float, retry_after: float | None, jitter: float) -> float:
    """Seconds until the next attempt."""
    if retry_after is None:
        return _spread(step, jitter)
    return min(max(retry_after, step), max(2 * step, _HOUR), _DAY)


def _spread(seconds: float, jitter: float) -> float:
    return seconds * random.uniform(1 - jitter, 1 + jitter)  # noqa: S311 - spreads load, guards nothing

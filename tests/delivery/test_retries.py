"""The table of waiting times and what each outcome means."""

from datetime import timedelta
from typing import Any

import pytest

from delivery.conf import DeliveryConf
from delivery.retries import MAX_AGE, Verdict, judge, waiting_time
from delivery.states import OPEN, TERMINAL, State
from delivery.transports.base import (
    AmbiguousOutcome,
    DeliveryError,
    PermanentFailure,
    ProviderFailure,
    Receipt,
    Suppressed,
    TemporaryFailure,
)

HOUR = 3600.0
SCHEDULE = DeliveryConf().retry_seconds["webhook"]


def verdict(result: Receipt | DeliveryError, **more: Any) -> Verdict:
    values: dict[str, Any] = {
        "retry_step": 0,
        "schedule": SCHEDULE,
        "jitter": 0.0,
        "provider_pause": 30.0,
        "age": timedelta(seconds=1),
    }
    return judge(result, **{**values, **more})


def test_the_contracts_table() -> None:
    assert SCHEDULE == (5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)


@pytest.mark.parametrize(("step", "seconds"), list(enumerate(SCHEDULE)))
def test_each_temporary_failure_takes_the_next_step(step: int, seconds: float) -> None:
    expected = Verdict(State.RETRYING, "http_500", "http_500", delay_seconds=seconds, retry_step=step + 1)
    assert verdict(TemporaryFailure("http_500"), retry_step=step) == expected


def test_what_nobody_wants_any_more_is_neither_sent_nor_failed() -> None:
    found = verdict(Suppressed("unsubscribed"), retry_step=3)
    assert found == Verdict(State.SUPPRESSED, "unsubscribed", "unsubscribed", None, 3)
    assert found.state in TERMINAL


def test_after_the_last_step_it_has_failed_for_the_last_reason() -> None:
    assert verdict(TemporaryFailure("http_503"), retry_step=len(SCHEDULE)) == Verdict(
        State.FAILED, "http_503", "http_503", retry_step=len(SCHEDULE)
    )


def test_a_channel_without_a_schedule_is_tried_once() -> None:
    assert verdict(TemporaryFailure("timeout"), schedule=()).state is State.FAILED


def test_a_receipt_ends_it_as_sent_and_a_permanent_failure_as_failed() -> None:
    assert verdict(Receipt(response={})) == Verdict(State.SENT, "accepted", "accepted")
    assert verdict(PermanentFailure("redirect")) == Verdict(State.FAILED, "redirect", "redirect")
    assert verdict(PermanentFailure("gone", disable_endpoint=True)).disable_endpoint


def test_our_own_providers_failure_burns_no_step_not_even_the_last() -> None:
    for step in (0, len(SCHEDULE)):
        found = verdict(ProviderFailure("connection_refused"), retry_step=step)
        assert (found.state, found.delay_seconds, found.retry_step) == (State.RETRYING, 30.0, step)
    assert verdict(ProviderFailure("busy", retry_after=90)).delay_seconds == 90
    assert verdict(ProviderFailure("busy", retry_after=10 * HOUR)).delay_seconds == HOUR


def test_nothing_is_tried_for_ever() -> None:
    for failure in (TemporaryFailure("timeout"), ProviderFailure("login_refused")):
        found = verdict(failure, age=MAX_AGE + timedelta(seconds=1))
        assert (found.state, found.reason, found.delay_seconds) == (State.FAILED, "retried_too_long", None)


def test_an_ambiguous_outcome_is_tried_again_and_noted_as_such() -> None:
    found = verdict(AmbiguousOutcome("no_answer_after_dot"))
    assert (found.state, found.outcome, found.retry_step) == (State.RETRYING, "ambiguous", 1)


@pytest.mark.parametrize(
    ("step", "retry_after", "seconds"),
    [
        (300.0, None, 300.0),
        (300.0, 0.0, 300.0),  # never sooner than the table
        (300.0, 900.0, 900.0),
        (300.0, 2 * HOUR, HOUR),  # not later than an hour while steps are small,
        (5 * HOUR, 24 * HOUR, 10 * HOUR),  # nor than twice a large step,
        (24 * HOUR, 72 * HOUR, 24 * HOUR),  # nor than a day
    ],
)
def test_retry_after_is_heeded_within_bounds(step: float, retry_after: float | None, seconds: float) -> None:
    assert waiting_time(step, retry_after, 0.0) == seconds


def test_jitter_spreads_around_the_step() -> None:
    waits = [waiting_time(100.0, None, 0.2) for _ in range(500)]
    assert 80 <= min(waits) < 95
    assert 105 < max(waits) <= 120


def test_every_state_is_open_or_terminal() -> None:
    assert set(State) == OPEN | TERMINAL
    assert not OPEN & TERMINAL

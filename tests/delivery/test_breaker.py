"""The circuit breaker's decisions, by a clock that the test turns."""

import pytest

from delivery.breaker import Breaker, BreakerConf

CONF = BreakerConf(window_seconds=300, wait_seconds=30, longest_wait_seconds=900)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def outcomes(breaker: Breaker, text: str) -> list[float | None]:
    """`+` a success, `-` a failure, with the circuit closed."""
    return [breaker.note(ok=sign == "+", trips=0) for sign in text]


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("-" * 9, False),  # too few
        ("-" * 10, True),
        ("+++-------", True),  # 70 %
        ("++++------", False),  # 60 %
        ("++++" + "-" * 9, False),  # 69 %
        ("++++" + "-" * 10, True),  # 71 %
        ("---------+", False),  # 90 %, but it works again
        ("---------+-", True),
    ],
)
def test_it_opens_at_ten_outcomes_of_which_seventy_percent_failed(clock: Clock, text: str, opens: bool) -> None:
    found = outcomes(Breaker(CONF, clock), text)
    assert found[:-1] == [None] * (len(text) - 1)
    assert found[-1] == (30 if opens else None)


def test_outcomes_older_than_the_window_count_no_more(clock: Clock) -> None:
    breaker = Breaker(CONF, clock)
    outcomes(breaker, "-" * 9)
    clock.now += 301
    assert outcomes(breaker, "-" * 9) == [None] * 9
    clock.now += 160  # the next half: those nine are still within the window
    assert outcomes(breaker, "-") == [30]


def test_old_successes_do_not_hide_a_receiver_that_has_died(clock: Clock) -> None:
    breaker = Breaker(CONF, clock)
    outcomes(breaker, "+" * 5000)
    clock.now += 301
    assert outcomes(breaker, "-" * 10)[-1] == 30


def test_attempts_that_were_under_way_when_it_opened_do_not_open_it_again(clock: Clock) -> None:
    breaker = Breaker(CONF, clock)
    assert outcomes(breaker, "-" * 19) == [None] * 9 + [30] + [None] * 9


def test_each_probe_that_fails_doubles_the_wait_up_to_the_longest(clock: Clock) -> None:
    breaker = Breaker(CONF, clock)
    waits = [breaker.note(ok=False, trips=trips) for trips in (1, 2, 3, 4, 5, 6, 30_000)]
    assert waits == [60, 120, 240, 480, 900, 900, 900]


def test_a_probe_that_succeeds_closes_it_and_all_begins_anew(clock: Clock) -> None:
    breaker = Breaker(CONF, clock)
    outcomes(breaker, "-" * 10)
    assert breaker.note(ok=True, trips=1) is None
    assert outcomes(breaker, "-" * 9) == [None] * 9


@pytest.mark.parametrize(
    "nonsense", [{"failing_share": 0}, {"failing_share": 1.1}, {"least_outcomes": 0}, {"wait_seconds": 1000}]
)
def test_nonsense_is_refused(nonsense: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        BreakerConf(**nonsense)  # type: ignore[arg-type]

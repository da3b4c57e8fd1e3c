"""The breaker of one provider, by a clock of the test's own."""

import pytest

from delivery.transports.health import AUTHENTICATION_REFUSED, CameTo, Health, HealthPolicy, HealthReport, News

POLICY = HealthPolicy(pause_seconds=10, authentication_pause_seconds=60, max_pause_seconds=100)


@pytest.fixture
def health() -> Health:
    return Health(POLICY)


def use(health: Health, came_to: CameTo, now: float, reason: str = "") -> News | None:
    begun = health.begin(now)
    assert begun is not None
    return health.end(begun, came_to, now, reason=reason)


def test_only_the_first_success_is_news(health: Health) -> None:
    assert [use(health, CameTo.WORKED, now) for now in range(3)] == [News.PROVEN, None, None]


def test_down_pauses_at_once_and_one_probe_brings_it_back(health: Health) -> None:
    assert use(health, CameTo.DOWN, 0, "connect_failed") is News.PAUSED
    assert health.report(4) == HealthReport(paused=True, reason="connect_failed", pause_seconds=6, failures=1)
    assert health.begin(9.9) is None
    probe = health.begin(10)
    assert probe is not None and probe.is_probe
    assert health.begin(10) is None, "one probe at a time"
    assert health.end(probe, CameTo.WORKED, 11) is News.RECOVERED
    assert health.report(11) == HealthReport(paused=False, reason="", pause_seconds=0, failures=0)


def test_a_probe_that_fails_pauses_twice_as_long_up_to_a_limit(health: Health) -> None:
    now, pauses = 0.0, []
    for _ in range(6):
        assert use(health, CameTo.DOWN, now, "connect_failed") is News.PAUSED
        pauses.append(health.report(now).pause_seconds)
        now += pauses[-1]
    assert pauses == [10, 20, 40, 80, 100, 100]


def test_trouble_during_a_probe_is_enough(health: Health) -> None:
    use(health, CameTo.DOWN, 0)
    assert use(health, CameTo.TROUBLE, 10) is News.PAUSED
    assert health.report(10).pause_seconds == 20


def test_a_refused_login_pauses_longer(health: Health) -> None:
    use(health, CameTo.DOWN, 0, AUTHENTICATION_REFUSED)
    assert health.report(0) == HealthReport(True, AUTHENTICATION_REFUSED, 60, 1)


def test_a_probe_that_was_given_up_leaves_room_for_the_next(health: Health) -> None:
    use(health, CameTo.DOWN, 0)
    assert use(health, CameTo.NOTHING, 10) is None
    assert health.may_probe(10)


def test_of_many_that_were_under_way_the_first_word_counts(health: Health) -> None:
    first, second, third = (health.begin(0) for _ in range(3))
    assert first and second and third
    assert health.end(first, CameTo.DOWN, 1) is News.PAUSED
    assert health.end(second, CameTo.DOWN, 2) is None
    assert health.end(third, CameTo.WORKED, 3) is None
    assert health.report(3).pause_seconds == 8


def test_what_has_ended_does_not_end_again(health: Health) -> None:
    begun = health.begin(0)
    assert begun
    health.end(begun, CameTo.DOWN, 0)
    assert health.end(begun, CameTo.DOWN, 0) is None
    assert health.report(0).failures == 1


def test_half_of_twenty_within_a_minute_is_too_much(health: Health) -> None:
    for number in range(19):
        assert use(health, CameTo.WORKED if number % 2 else CameTo.TROUBLE, number) in (None, News.PROVEN)
    assert use(health, CameTo.TROUBLE, 19) is News.PAUSED
    assert health.report(19).reason == "failing"


@pytest.mark.parametrize(
    ("every", "bad_each", "count"), [(1.0, 3, 300), (4.0, 1, 300), (1.0, 1, 19)], ids=["seldom", "slow", "few"]
)
def test_less_than_that_is_not(health: Health, every: float, bad_each: int, count: int) -> None:
    for number in range(count):
        assert use(health, CameTo.WORKED if number % bad_each else CameTo.TROUBLE, number * every) is not News.PAUSED


def test_several_silences_in_a_row_are_too_much_however_slowly_they_come(health: Health) -> None:
    for number in range(4):
        assert use(health, CameTo.SILENCE, number * 1000) is None
    use(health, CameTo.WORKED, 4000)
    for number in range(5, 9):
        assert use(health, CameTo.SILENCE, number * 1000) is None
    assert use(health, CameTo.SILENCE, 9000) is News.PAUSED


def test_another_process_is_believed(health: Health) -> None:
    health.adopt(HealthReport(True, "connect_failed", 30, 2), 100)
    assert health.begin(129) is None
    assert health.may_probe(130)
    health.adopt(HealthReport(False, "", 0, 0), 131)
    assert health.begin(131) == health.begin(131)

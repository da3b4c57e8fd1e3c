"""How often a recipient may connect."""

from consumers.pace import Pace


def test_some_at_once_then_evenly() -> None:
    pace = Pace(at_once=3, per_second=0.5)
    assert [pace.take("a", 100.0) for _ in range(4)] == [True, True, True, False]
    assert pace.take("b", 100.0)
    assert [pace.take("a", 102.0), pace.take("a", 102.0)] == [True, False]
    pace.forget(105.0)
    assert [pace.take("a", 105.0), pace.take("a", 105.0)] == [True, False]


def test_nothing_is_kept_of_who_comes_seldom() -> None:
    pace = Pace(at_once=3, per_second=1.0)
    for number in range(100):
        pace.take(str(number), float(number))
        pace.forget(float(number))
    assert len(pace._full_at) <= 2

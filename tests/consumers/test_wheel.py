"""The wheel against the plain idea of it: everybody is looked at each time, and taken when due."""

import math
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from consumers.wheel import Wheel

STEP = 0.1


@dataclass(eq=False)
class Item:
    """Somebody with a moment."""

    due: float = math.inf
    place: int = 0


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 30) | st.just(math.inf) | st.none(), st.floats(0, 3))))
def test_is_taken_after_its_moment_and_within_a_step(steps: list[tuple[int, float | None, float]]) -> None:
    wheel: Wheel[Item] = Wheel(STEP)
    items = [Item() for _ in range(5)]
    now = 0.0
    for number, moment, passes in steps:
        item = items[number]
        if moment is None:
            item.due = math.inf
            wheel.remove(item)
        else:
            item.due = now + moment
            wheel.put(item, item.due)
        now += passes
        taken = list(wheel.take(now))
        assert len(taken) == len({id(each) for each in taken})
        for each in items:
            if any(each is other for other in taken):
                assert each.due <= now + 1e-6
                each.due = math.inf
            else:
                assert each.due + STEP > now - 1e-6


def test_who_is_put_back_while_others_are_taken_comes_next_time() -> None:
    wheel: Wheel[Item] = Wheel(STEP)
    item = Item()
    wheel.put(item, 1.0)
    for each in wheel.take(2.0):
        wheel.put(each, 1.0)
    assert list(wheel.take(2.0)) == [item]
    assert list(wheel.take(9.0)) == []

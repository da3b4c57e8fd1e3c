"""Conditions: what compiles, what holds, what they read."""

from typing import Any

import pytest

from notifications.workflows.conditions import ConditionError, compile_condition

FACTS: dict[str, Any] = {
    "data": {"total": 120, "tags": ["a", "b"], "long": list(range(200))},
    "recipient": {"id": "u1", "locale": "de"},
    "presence": {"online": False},
    "steps": {"bell": {"seen": True}},
}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"var": "steps.bell.seen"}, True),
        ({"!": {"var": "steps.bell.seen"}}, False),
        ({">": [{"var": "data.total"}, 100]}, True),
        ({"and": [{"==": [{"var": "recipient.locale"}, "de"]}, {"!": {"var": "presence.online"}}]}, True),
        ({"in": ["c", {"var": "data.tags"}]}, False),
        ({"var": "data.missing"}, False),
        ({"==": [{"var": "data.missing"}, None]}, True),
        ({"some": [{"var": "data.tags"}, {"==": [{"var": ""}, "b"]}]}, True),
    ],
)
def test_a_condition_holds_or_not(rule: Any, holds: bool) -> None:
    assert compile_condition(rule).holds(FACTS) is holds


@pytest.mark.parametrize(
    ("rule", "pointer", "word"),
    [
        ({"nope": [1]}, "", "Unknown operator"),
        ({"and": [True, {"iff": [1]}]}, "/and/1", "Unknown operator"),
        ({"==": [1]}, "", "at least 2"),
        ({"a": 1, "b": 2}, "", "not an operator"),
        ({"<": [{"now": []}, "2030-01-01T00:00:00Z"]}, "", "clock"),
        ({"zeros": [[1000, 1000, 1000]]}, "", "Unknown operator"),
    ],
)
def test_what_is_wrong_is_said_at_once(rule: Any, pointer: str, word: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(rule)
    assert caught.value.pointer == pointer
    assert word in caught.value.detail


@pytest.mark.parametrize(
    "rule",
    [
        {"+": ["a", 1]},
        {"throw": "x"},
        {"reduce": [{"var": "data.long"}, {"cat": [{"var": "accumulator"}, {"var": "accumulator"}]}, "aaaaaaaa"]},
    ],
)
def test_what_cannot_be_evaluated_does_not_hold_and_says_why(rule: Any) -> None:
    verdict = compile_condition(rule).evaluate(FACTS)
    assert verdict.holds is False
    assert verdict.error


def test_it_knows_what_it_reads() -> None:
    condition = compile_condition({"and": [{"!": {"var": "steps.bell.seen"}}, {"var": "data.total"}]})
    assert condition.variables == (("data", "total"), ("steps", "bell", "seen"))
    assert condition.needs("steps")
    assert not condition.needs("presence")


@pytest.mark.parametrize("rule", [{"var": ""}, {"var": {"cat": ["pre", "sence"]}}])
def test_what_may_read_anything_needs_everything(rule: Any) -> None:
    assert compile_condition(rule).needs("presence")


def test_equal_rules_are_compiled_once() -> None:
    assert compile_condition({"var": "data.x"}) is compile_condition({"var": "data.x"})


def test_what_its_variables_were_can_be_told() -> None:
    condition = compile_condition(
        {"and": [{"var": "data.s"}, {"var": "data.n"}, {"var": "data.l"}, {"var": "steps.x.y"}]}
    )
    facts = {"data": {"s": "a" * 500, "n": 2, "l": [1, 2]}}
    assert condition.values(facts) == {"data.s": "a" * 100, "data.n": 2, "steps.x.y": None}

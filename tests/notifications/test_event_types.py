"""Which events an endpoint hears of."""

import pytest

from notifications.event_types import check_filter, event_type_of, is_wanted


@pytest.mark.parametrize(
    ("event_type", "filters", "wanted"),
    [
        ("order-shipped", [], True),
        ("order-shipped", ["order-shipped"], True),
        ("order-shipped", ["order-*"], True),
        ("order-shipped", ["*"], True),
        ("order-", ["order-*"], True),
        ("order.item.shipped", ["order.*"], True),
        ("order-shipped", ["invoice-*", "order-shipped"], True),
        ("order-shipped", ["order"], False),
        ("order", ["order-*"], False),
        ("reorder-shipped", ["order-*"], False),
        ("order-shipped", ["Order-*"], False),
    ],
)
def test_filters(event_type: str, filters: list[str], wanted: bool) -> None:
    assert is_wanted(event_type, filters) is wanted


def test_without_a_workflow_there_is_a_type_too() -> None:
    assert (event_type_of(None), event_type_of("order-shipped")) == ("notification", "order-shipped")


@pytest.mark.parametrize("text", ["*", "a", "order-*", "order.shipped", "a" * 255])
def test_good_filters(text: str) -> None:
    assert check_filter(text) == text


@pytest.mark.parametrize("text", ["", "-a", "*a", "a*b", "**", "a b", "a\n", "a*\n", "order-?", "ä", ".*"])
def test_bad_filters(text: str) -> None:
    with pytest.raises(ValueError, match="order-"):
        check_filter(text)

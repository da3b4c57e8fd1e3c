"""Frequency caps as JSON."""

from typing import Any

import pytest

from notifications.errors import Invalid
from notifications.preferences.caps import NONE, Cap, parse_caps, read_caps

FIVE = {"limit": 5, "per": "PT1H"}


def test_both_caps_hold() -> None:
    caps = parse_caps({"channels": {"email": FIVE}, "categories": {"collab": {"limit": 20, "per": "P1D"}}})
    email, collab = Cap("channels:email", 5, 3600.0), Cap("categories:collab", 20, 86400.0)
    assert caps.holding("email", "collab") == (email, collab)
    assert caps.holding("email", None) == (email,)
    assert caps.holding("sms", "collab") == (collab,)
    assert caps.holding("sms", "orders") == ()
    assert not NONE and read_caps(None) is NONE and caps
    assert read_caps('{"channels": {"email": {"limit": 5, "per": "PT1H"}}}').holding("email", None) == (email,)


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        ([], [""]),
        ({"channel": {}}, ["/channel"]),
        ({"channels": []}, ["/channels"]),
        ({"channels": {"email": 5}}, ["/channels/email"]),
        ({"channels": {"email": {"limit": 5}}}, ["/channels/email"]),
        ({"channels": {"": FIVE}}, ["/channels/"]),
        (
            {"channels": {"email": {"limit": 0, "per": "P1M"}}, "categories": {"c": {"limit": True, "per": "PT0S"}}},
            ["/channels/email/limit", "/channels/email/per", "/categories/c/limit", "/categories/c/per"],
        ),
        ({"channels": {"email": {"limit": 1001, "per": "P32D"}}}, ["/channels/email/limit", "/channels/email/per"]),
    ],
    ids=str,
)
def test_what_is_wrong_is_pointed_at(raw: Any, wrong: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        parse_caps(raw)
    assert [fault.pointer for fault in caught.value.faults] == wrong

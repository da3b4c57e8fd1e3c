"""Preferences come in as documented, or with a pointer to each thing that is wrong."""

from typing import Any

import msgspec
import pytest

from notifications.errors import Invalid
from notifications.preferences.parsing import parse_preferences, read_preferences
from notifications.preferences.shapes import EMPTY, Cadence, QuietHours

NOTHING: tuple[()] = ()
EVERYTHING: dict[str, Any] = {
    "channels": {"sms": False},
    "categories": {"collab": {"email": False}, "news": False},
    "workflows": {"comment": {"in_app": True}},
    "quiet_hours": {
        "policy": "defer",
        "weekly": {"monday": [{"from": "22:00", "until": "07:00"}], "sunday": [{"from": "00:00", "until": "24:00"}]},
    },
    "digests": {"collab": {"cron": "0 9 * * *"}, "orders": {"at_once": True}},
}


def pointers(raw: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        parse_preferences(raw)
    return [fault.pointer for fault in caught.value.faults]


def test_everything() -> None:
    found = parse_preferences(EVERYTHING)
    assert found.channels == {"sms": False}
    assert found.categories == {"collab": {"email": False}, "news": False}
    assert found.workflows == {"comment": {"in_app": True}}
    monday, sunday = ((1320, 1860),), ((0, 1440),)
    assert found.quiet_hours == QuietHours((monday, *[NOTHING] * 5, sunday), "defer", None)
    assert found.digests == {"collab": Cadence("0 9 * * *"), "orders": Cadence(None)}


def test_nothing_is_acceptable_as_well() -> None:
    assert parse_preferences({}) == parse_preferences({"quiet_hours": None, "digests": {}}) == EMPTY
    assert read_preferences(None) is EMPTY
    assert parse_preferences({"quiet_hours": {}}).quiet_hours == QuietHours((NOTHING,) * 7)


def test_what_is_stored_reads_the_same() -> None:
    assert read_preferences(msgspec.json.encode(EVERYTHING).decode()) == parse_preferences(EVERYTHING)


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (None, [""]),
        ([], [""]),
        ({"chanels": {}}, ["/chanels"]),
        ({"a/b~c": 1}, ["/a~1b~0c"]),
        ({"channels": []}, ["/channels"]),
        ({"channels": {"SMS": False}}, ["/channels/SMS"]),
        ({"channels": {"sms": None, "email": 1}}, ["/channels/sms", "/channels/email"]),
        ({"categories": {"collab": None}}, ["/categories/collab"]),
        ({"categories": {"collab": {"email": "no"}}}, ["/categories/collab/email"]),
        ({"categories": {" x": True}}, ["/categories/ x"]),
        ({"workflows": {"comment": {"in app": True}}}, ["/workflows/comment/in app"]),
        ({"categories": {f"c{n}": True for n in range(1001)}}, ["/categories"]),
        ({"quiet_hours": []}, ["/quiet_hours"]),
        ({"quiet_hours": {"policy": "wait"}}, ["/quiet_hours/policy"]),
        ({"quiet_hours": {"channels": "push"}}, ["/quiet_hours/channels"]),
        ({"quiet_hours": {"channels": [1]}}, ["/quiet_hours/channels"]),
        ({"quiet_hours": {"weekly": {"mon": []}}}, ["/quiet_hours/weekly/mon"]),
        ({"quiet_hours": {"weekly": {"monday": {}}}}, ["/quiet_hours/weekly/monday"]),
        ({"quiet_hours": {"weekly": {"monday": [7]}}}, ["/quiet_hours/weekly/monday/0"]),
        ({"quiet_hours": {"weekly": {"monday": [{"from": "22:00"}]}}}, ["/quiet_hours/weekly/monday/0/until"]),
        (
            {"quiet_hours": {"weekly": {"monday": [{"from": "7:00", "until": "25:00"}]}}},
            ["/quiet_hours/weekly/monday/0/from", "/quiet_hours/weekly/monday/0/until"],
        ),
        ({"quiet_hours": {"weekly": {"monday": [{"from": "24:00", "until": "07:00"}]}}}, ["/quiet_hours/weekly/monday/0/from"]),
        ({"quiet_hours": {"weekly": {"monday": [{"from": "07:00", "until": "07:00"}]}}}, ["/quiet_hours/weekly/monday/0/until"]),
        ({"quiet_hours": {"weekly": {"monday": [{"from": "07:00", "until": "08:00"}] * 25}}}, ["/quiet_hours/weekly/monday"]),
        ({"digests": {"collab": {}}}, ["/digests/collab"]),
        ({"digests": {"collab": {"at_once": 1}}}, ["/digests/collab"]),
        ({"digests": {"collab": {"cron": "nine"}}}, ["/digests/collab"]),
        ({"digests": {"collab": {"cron": "0 9 * * * *"}}}, ["/digests/collab"]),
        ({"digests": {"collab": {"cron": "0 9 30 2 *"}}}, ["/digests/collab"]),
        ({"digests": {"collab": {"cron": "0 9 * * *", "at_once": True}}}, ["/digests/collab"]),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_pointed_at(raw: Any, wrong: list[str]) -> None:
    assert sorted(pointers(raw)) == sorted(wrong)


def every_day(start: str, end: str) -> dict[str, Any]:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return {"quiet_hours": {"weekly": {day: [{"from": start, "until": end}] for day in days}}}


def test_a_whole_week_cannot_be_quiet() -> None:
    assert pointers(every_day("00:00", "24:00")) == ["/quiet_hours/weekly"]
    assert pointers(every_day("12:00", "11:59") | {"channels": {"x": 1}}) == ["/channels/x"]
    around = every_day("12:00", "11:59")
    around["quiet_hours"]["weekly"]["monday"].append({"from": "11:00", "until": "12:00"})
    parse_preferences(around)  # the other days each leave a minute
    for entries in around["quiet_hours"]["weekly"].values():
        entries[1:] = [{"from": "11:59", "until": "12:00"}]
    assert pointers(around) == ["/quiet_hours/weekly"]


def test_a_pointer_begins_where_it_is_told_to() -> None:
    with pytest.raises(Invalid) as caught:
        parse_preferences({"channels": 1}, at="/preferences")
    assert caught.value.faults[0].pointer == "/preferences/channels"

"""Scenario files: what is wrong is told with its place, and nothing is run."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.simulation.files import read_scenario
from deploy.simulation.scenario import parse_scenario
from notifications.errors import Invalid, Malformed

GOOD: dict[str, Any] = {
    "start": "2027-03-01T08:00:00Z",
    "until": "P1D",
    "recipients": [{"id": "u1", "email": "u1@example.com"}],
    "workflows": {"comment": "example"},
    "events": [
        {
            "at": "PT1H",
            "name": "one",
            "notify": {"recipients": ["u1"], "channels": ["in_app"], "content": {"title": "t", "body": "b"}},
        },
        {"at": "2027-03-01T11:00:00+01:00", "cancel": "one"},
    ],
}
NOTIFY = GOOD["events"][0]["notify"]


def faults_of(raw: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse_scenario(raw)
    return {fault.pointer: fault.detail for fault in caught.value.faults}


def test_a_good_one_is_in_the_order_in_which_it_happens() -> None:
    events = [*GOOD["events"], {"at": "PT0S", "notify": NOTIFY, "every": "PT1M", "times": 2, "name": "first"}]
    scenario = parse_scenario({**GOOD, "events": events})
    assert [(h.action, h.name) for h in scenario.happenings] == [
        ("notify", "first-1"),
        ("notify", "first-2"),
        ("notify", "one"),
        ("cancel", "one"),
    ]


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"start": "2027-03-01"}, "/start", "RFC 3339"),
        ({"until": "P2Y"}, "/until", "ISO 8601"),
        ({"until": "2027-03-01T08:00:00Z"}, "/until", "after the start"),
        ({"until": "2030-03-01T08:00:00Z"}, "/until", "at most 400 days"),
        ({"surprise": 1}, "/surprise", "Unknown field"),
        ({"recipients": [{"email": "x@example.com"}]}, "/recipients/0/id", "id"),
        ({"recipients": [{"id": "a"}, {"id": "a"}]}, "/recipients/1/id", "twice"),
        ({"recipients": [{"id": "a", "email": "nobody"}]}, "/recipients/0/email", "Not an email"),
        ({"recipients": [{"id": "a", "timezone": "Mars"}]}, "/recipients/0/timezone", "Not a time zone"),
        ({"recipients": [{"id": "a", "preferences": {"chanels": {}}}]}, "/recipients/0/preferences/chanels", "Unknown"),
        ({"recipients": [{"id": "a", "endpoints": [{"channel": "fax", "url": "x"}]}]}, "/recipients/0/endpoints/0/channel", "fax"),
        ({"topics": {"t": ["nobody"]}}, "/topics/t/0", "Not one of"),
        ({"workflows": {"nothing": "example"}}, "/workflows/nothing", "No such example"),
        ({"workflows": {"w": {"name": "W", "steps": [{"key": "s", "type": "fax"}]}}}, "/workflows/w/steps/0/type", "No such type"),
        ({"schedules": {"s": {"cron": "99 * * * *", "notification": NOTIFY}}}, "/schedules/s/cron", ""),
        ({"schedules": {"s": {"cron": "* * * * *", "notification": {}}}}, "/schedules/s/notification/recipients", "Missing"),
        ({"events": [{"at": "PT1H"}]}, "/events/0", "Say one of"),
        ({"events": [{"at": "P3D", "seen": "u1"}]}, "/events/0/at", "outside"),
        ({"events": [{"at": "PT1H", "cancel": "nothing"}]}, "/events/0/cancel", "No event"),
        ({"events": [{"at": "PT0S", "cancel": "one"}, GOOD["events"][0]]}, "/events/0/cancel", "only later"),
        ({"events": [GOOD["events"][0], GOOD["events"][0]]}, "/events/1/name", "already"),
        ({"events": [{"at": "PT1H", "times": 3, "seen": "u1"}]}, "/events/0/times", "every"),
        ({"events": [{"at": "PT1H", "notify": {**NOTIFY, "channels": ["fax"]}}]}, "/events/0/notify/channels/0", "No such channel"),
        ({"events": [{"at": "PT1H", "read": {"notification": "one"}}]}, "/events/0/read/recipient", "Say whose"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(change: dict[str, Any], pointer: str, detail: str) -> None:
    found = faults_of({**GOOD, **change})
    assert pointer in found, found
    assert detail in found[pointer]


def test_all_faults_are_told_at_once() -> None:
    assert len(faults_of({**GOOD, "start": "x", "topics": {"t": ["nobody"]}, "recipients": [{"id": ""}]})) >= 3


def test_files_say_line_and_column(tmp_path: Path) -> None:
    for name, text, place in (
        ("a.json", '{"start": 1,\n  "until": }', "line 2, column 12"),
        ("a.yaml", "start: [1\nuntil: 2", "line 2"),
    ):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(Malformed, match=place):
            read_scenario(path)


def test_yaml_says_the_same_as_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    # A time without quotes is one to YAML, too.
    (tmp_path / "a.yaml").write_text(json.dumps(GOOD).replace('"2027-03-01T08:00:00Z"', "2027-03-01T08:00:00Z"))
    assert read_scenario(tmp_path / "a.yaml") == read_scenario(tmp_path / "a.json")

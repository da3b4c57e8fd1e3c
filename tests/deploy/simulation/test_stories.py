"""Stories as text and picture, and that a scenario is told the same each time."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from deploy.simulation.files import read_scenario
from deploy.simulation.story import Kind, Story
from deploy.simulation.svg import as_svg
from deploy.simulation.text import as_text
from tests.deploy.simulation.conftest import Run

EXAMPLES = sorted((Path(__file__).parents[3] / "deploy" / "examples" / "scenarios").iterdir())
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_told_the_same_each_time(run: Run, path: Path) -> None:
    scenario = read_scenario(path)
    first, second = run(scenario), run(scenario)
    assert first.went_out
    assert not [entry for entry in first.entries if entry.says == "failed"]
    assert first.document() == second.document()
    assert as_text(first) == as_text(second)
    assert as_svg(first) == as_svg(second)
    ElementTree.fromstring(as_svg(first))


def test_the_week_of_comments(run: Run) -> None:
    (path,) = [path for path in EXAMPLES if path.stem == "quiet-week"]
    story = run(read_scenario(path))
    text = as_text(story)
    for said in (
        '15:00:00 > bo   email sent "3 neue Kommentare von Cem" (Mon 09:00 America/New_York) [monday-1 monday-2 monday-3]',
        "22:20:00   ada  email waits until Wed 3 Mar 07:30 [late]",
        '07:30:00 > ada  email sent "1 new comment by Bo", waited since Tue 2 Mar 22:20 [late]',
        "17:30:00   bo   leaves a digest 'roof': It was cancelled before it was sent. [weekend-3]",
        "20:05:00   ada  email waits until Mon 8 Mar 07:30 [weekend-4]",  # in the place that weekend-3 gave back
        "cem email: 2 suppressed",
    ):
        assert said in text, said
    svg = as_svg(story)
    names = [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert [name for name in names if name in ("asked for", "ada", "bo", "cem")][:4] == [
        "asked for",
        "ada",
        "bo",
        "cem",
    ]
    assert names.count("email") == 3


def test_the_night_of_the_clock_change(run: Run) -> None:
    (path,) = [path for path in EXAMPLES if path.stem == "incident-night"]
    story = run(read_scenario(path))
    told = [
        (f"{entry.at:%H:%M}", entry.recipient, entry.channel)
        for entry in story.went_out
        if entry.notifications == ("payments",)
    ]
    # In UTC: 06:50 is 01:50-05, and 07:05 is 03:05-04.
    assert told == [
        ("06:50", "ines", "email"),
        ("06:50", "ines", "in_app"),
        ("07:05", "on-call", "email"),
        ("07:05", "on-call", "in_app"),
        ("07:20", "team-lead", "email"),
        ("07:20", "team-lead", "in_app"),
    ]


def test_data_of_a_scenario_cannot_break_the_picture(run: Run) -> None:
    title = '<script>alert(1)</script> & "so on" ]]>'
    content = {"title": title, "body": ""}
    scenario: dict[str, Any] = {
        "name": title,
        "start": "2027-03-01T08:00:00Z",
        "until": "PT3H",
        "recipients": [{"id": "<b>"}],
        "events": [
            {"at": "PT1H", "notify": {"recipients": ["<b>"], "channels": ["in_app"], "content": content}},
            {
                "at": "PT1H",
                "notify": {
                    "recipients": ["<b>"],
                    "channels": ["email"],
                    "content": content,
                    "send_at": "2027-03-01T20:00:00Z",
                },
            },
        ],
    }
    story = run(scenario)
    texts = [element.text for element in ElementTree.fromstring(as_svg(story)).iter(f"{SVG}text")]
    assert title in texts and "<b>" in texts
    assert [entry.says for entry in story.entries if entry.kind is Kind.OPEN] == ["waits to be routed"]


def test_every_decision_of_a_walk_has_its_words() -> None:
    from delivery.explain.walks import CODES
    from deploy.simulation import sentences

    assert sentences.CODES == CODES


@pytest.mark.parametrize("until", ["PT2H", "P2D", "P20D", "P300D"])
def test_pictures_of_any_length(until: str) -> None:
    from deploy.simulation.scenario import parse_scenario

    scenario = parse_scenario({"start": "2027-03-01T08:00:00Z", "until": until})
    story = Story(
        name="",
        start=scenario.start,
        until=scenario.until,
        timezone="Australia/Lord_Howe",
        zones={},
        quiet={},
        entries=(),
    )
    assert ElementTree.fromstring(as_svg(story)).tag == f"{SVG}svg"
    assert "0 notifications" in as_text(story)

"""The most specific entry decides, and its level is told."""

from typing import Any

import pytest

from notifications.preferences.deciding import Decision, cadence, decide, quiet_hours, quiet_policy
from notifications.preferences.parsing import parse_preferences
from notifications.preferences.shapes import EMPTY, Cadence

CHANNEL_OFF = {"channels": {"email": False}}
CHANNEL_ON = {"channels": {"email": True}}
CATEGORY_OFF = {"categories": {"collab": {"email": False}}}
CATEGORY_ON = {"categories": {"collab": {"email": True}}}
ALL_OFF = {"categories": {"collab": False}}
WORKFLOW_OFF = {"workflows": {"comment": {"email": False}}}
WORKFLOW_ON = {"workflows": {"comment": {"email": True}}}
NIGHTS = {"quiet_hours": {"weekly": {"monday": [{"from": "22:00", "until": "07:00"}]}}}


def ask(own: dict[str, Any], defaults: dict[str, Any], **more: Any) -> Decision:
    asked: dict[str, Any] = {"workflow": "comment", "category": "collab", **more}
    return decide("email", own=parse_preferences(own), defaults=parse_preferences(defaults), **asked)


@pytest.mark.parametrize(
    ("own", "defaults", "allowed", "level"),
    [
        ({}, {}, True, "default"),
        (CHANNEL_OFF, {}, False, "channel"),
        ({}, CHANNEL_OFF, False, "project_channel"),
        (CHANNEL_ON, CHANNEL_OFF, True, "channel"),
        (CATEGORY_ON, CHANNEL_OFF, True, "category"),
        (CHANNEL_OFF, CATEGORY_ON, True, "project_category"),
        (CATEGORY_OFF, CATEGORY_ON, False, "category"),
        (ALL_OFF, CHANNEL_ON, False, "category"),
        (ALL_OFF, CATEGORY_ON, True, "project_category"),
        (ALL_OFF | WORKFLOW_ON, {}, True, "workflow"),
        (CATEGORY_ON, WORKFLOW_OFF, False, "project_workflow"),
        (WORKFLOW_ON, WORKFLOW_OFF, True, "workflow"),
        ({"channels": {"sms": False}, "categories": {"orders": False}}, {}, True, "default"),
        ({"categories": {"collab": {"sms": False}}}, {}, True, "default"),
    ],
    ids=str,
)
def test_the_most_specific_wins(own: dict[str, Any], defaults: dict[str, Any], allowed: bool, level: str) -> None:
    assert ask(own, defaults) == Decision(allowed, level)


def test_what_has_no_category_or_workflow_is_decided_by_its_channel() -> None:
    assert ask(WORKFLOW_OFF | CATEGORY_OFF, {}, workflow=None, category=None).allowed
    assert not ask(CHANNEL_OFF, {}, workflow=None, category=None).allowed


def test_critical_passes_over_all_and_says_over_what() -> None:
    assert ask(WORKFLOW_OFF, {}, critical=True) == Decision(True, "critical", overruled="workflow")
    assert ask({}, CHANNEL_OFF, critical=True) == Decision(True, "critical", overruled="project_channel")
    assert ask({}, {}, critical=True) == Decision(True, "critical")


@pytest.mark.parametrize(
    ("own", "defaults", "reason"),
    [
        (CATEGORY_OFF, {}, "unsubscribed"),
        (CHANNEL_OFF, {}, "preference_channel"),
        (WORKFLOW_OFF, {}, "preference_workflow"),
        ({}, CATEGORY_OFF, "preference_project_category"),
        ({}, {}, ""),
    ],
    ids=str,
)
def test_reasons(own: dict[str, Any], defaults: dict[str, Any], reason: str) -> None:
    assert ask(own, defaults).reason == reason


def test_own_quiet_hours_replace_the_projects() -> None:
    nights, none = parse_preferences(NIGHTS), parse_preferences({"quiet_hours": {"weekly": {}}})
    assert quiet_hours("email", own=nights) == quiet_hours("email", defaults=nights) == nights.quiet_hours
    assert quiet_hours("email", own=none, defaults=nights) is None
    assert quiet_hours("email", own=EMPTY, defaults=EMPTY) is None
    push = parse_preferences({"quiet_hours": {**NIGHTS["quiet_hours"], "channels": ["push"]}})
    assert quiet_hours("push", own=push) == push.quiet_hours
    assert quiet_hours("email", own=push, defaults=nights) is None


def test_what_becomes_of_something_in_quiet_hours() -> None:
    hours = parse_preferences({"quiet_hours": {**NIGHTS["quiet_hours"], "policy": "digest"}}).quiet_hours
    assert hours is not None
    assert quiet_policy(hours) == "digest"
    assert quiet_policy(hours, asked="drop") == "drop"
    assert quiet_policy(hours, critical=True, asked="drop") == "break_through"


def test_cadence_is_the_recipients_before_the_projects() -> None:
    own, project = ({"digests": {"collab": {"cron": cron}}} for cron in ("0 * * * *", "0 9 * * *"))
    assert cadence("collab", own=parse_preferences(own), defaults=parse_preferences(project)) == Cadence("0 * * * *")
    assert cadence("collab", defaults=parse_preferences(project)) == Cadence("0 9 * * *")
    assert cadence("orders", own=parse_preferences(own)) is None
    assert cadence(None, own=parse_preferences(own)) is None

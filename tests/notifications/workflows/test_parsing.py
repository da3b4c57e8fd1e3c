"""Definitions: what they become, and what is said of bad ones."""

from typing import Any

import pytest

from notifications.workflows.definition import (
    ChannelStep,
    ConditionStep,
    DelayStep,
    DigestStep,
    EscalateStep,
    FallbackStep,
    ThrottleStep,
    Window,
)
from tests.notifications.workflows.parsing_cases import COMMENT, faults, of_steps, parse

BELL = {"key": "bell", "type": "in_app", "template": {"title": "x"}}


def test_a_whole_workflow() -> None:
    definition = parse(COMMENT)
    bell, wait, mail, later, reach, climb = definition.steps
    assert (definition.name, definition.category, definition.critical) == ("Comments", "collab", False)
    assert bell == ChannelStep(key="bell", channel="in_app", template=COMMENT["steps"][0]["template"])
    assert wait == DigestStep(
        key="wait",
        digest_key="{{ data.thread }}",
        window=Window(seconds=1800),
        first_at_once=False,
        max_items=100,
        order="oldest_first",
        skip_if_empty=True,
    )
    assert mail.condition == {"!": {"var": "steps.bell.seen"}}
    assert later == DelayStep(key="later", seconds=900)
    mailed = COMMENT["steps"][2]["template"]
    assert reach == FallbackStep(
        key="reach",
        channels=("push", "sms"),
        until="seen",
        wait_seconds=300,
        templates={"push": mailed, "sms": mailed},
    )
    assert climb == EscalateStep(
        key="climb",
        to=("lead",),
        channels=("in_app", "email"),
        every_seconds=900,
        times=3,
        until="acknowledged",
        templates={"in_app": COMMENT["steps"][0]["template"], "email": mailed},
    )
    assert definition.position("mail") == 2
    assert definition.position("nothing") is None
    assert definition.needs("steps")
    assert not definition.needs("presence")


def test_the_other_steps() -> None:
    steps = of_steps(
        {"key": "once", "type": "throttle", "limit": 2, "window": "PT1H", "on_limit": "drop"},
        {"key": "big", "type": "condition", "if": {">": [{"var": "data.total"}, 5]}, "else": "until"},
        BELL | {"quiet_hours": "break_through"},
        {"key": "until", "type": "delay", "until": "{{ data.at }}"},
        {
            "key": "loud",
            "type": "fallback",
            "channels": ["push", "email"],
            "wait": "PT1M",
            "template": "alarm",
            "templates": {"email": {"subject": "Alarm", "body": "!"}},
        },
    )
    once, big, bell, until, loud = parse(steps).steps
    assert once == ThrottleStep(key="once", throttle_key="", limit=2, window_seconds=3600, on_limit="drop")
    assert isinstance(big, ConditionStep)
    assert big.otherwise == "until"
    assert isinstance(bell, ChannelStep)
    assert bell.quiet_hours == "break_through"
    assert until == DelayStep(key="until", until="{{ data.at }}")
    assert isinstance(loud, FallbackStep)
    assert loud.templates == {"push": "alarm", "email": {"subject": "Alarm", "body": "!"}}


@pytest.mark.parametrize(
    ("window", "becomes"),
    [
        ({"for": "P1D"}, Window(seconds=86400)),
        ({"sliding": "PT5M", "max": "PT1H"}, Window(sliding_seconds=300, max_seconds=3600)),
        ({"cron": "0 9 * * 1-5"}, Window(cron="0 9 * * 1-5", timezone="recipient")),
        ({"cron": "0 9 * * *", "timezone": "Europe/Berlin"}, Window(cron="0 9 * * *", timezone="Europe/Berlin")),
        (
            {"rrule": "RRULE:FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=8"},
            Window(rrule="FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=8", timezone="recipient"),
        ),
    ],
)
def test_windows(window: Any, becomes: Window) -> None:
    (step,) = parse(of_steps({"key": "wait", "type": "digest", "window": window})).steps
    assert isinstance(step, DigestStep)
    assert step.window == becomes


@pytest.mark.parametrize(
    ("window", "pointer", "word"),
    [
        ({}, "", "exactly one"),
        ({"for": "PT5M", "cron": "0 9 * * *"}, "", "exactly one"),
        ({"for": "PT0S"}, "/for", "one second"),
        ({"for": "-PT5M"}, "/for", "one second"),
        ({"for": "P401D"}, "/for", "400 days"),
        ({"for": "P1M"}, "/for", "ISO8601"),
        ({"for": 300}, "/for", "Expected"),
        ({"sliding": "PT5M"}, "/max", "needs a maximum"),
        ({"sliding": "PT5M", "max": "PT1M"}, "/max", "shorter"),
        ({"for": "PT5M", "max": "PT9M"}, "/max", "sliding"),
        ({"for": "PT5M", "timezone": "UTC"}, "/timezone", "cron"),
        ({"cron": "0 9 * *"}, "/cron", "five fields"),
        ({"cron": "* * * * * *"}, "/cron", "five fields"),
        ({"cron": "0 25 * * *"}, "/cron", "mistake in its hour"),
        ({"cron": "0 9 * * *", "timezone": "Europe/Nowhere"}, "/timezone", "time zone"),
        ({"rrule": "FREQ=SECONDLY"}, "/rrule", "DAILY"),
        ({"rrule": "FREQ=DAILY;COUNT=3"}, "/rrule", "goes on"),
        ({"rrule": "FREQ=DAILY;BYSECOND=1,2,3"}, "/rrule", "made of"),
        ({"rrule": "FREQ=DAILY;BYHOUR=99"}, "/rrule", "BYHOUR"),
        ({"rrule": "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31"}, "/rrule", "does not come"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=XX"}, "/rrule", "BYDAY"),
        ({"until": "x"}, "/until", "Unknown field"),
    ],
)
def test_bad_windows(window: Any, pointer: str, word: str) -> None:
    found = faults(of_steps({"key": "wait", "type": "digest", "window": window}))
    assert list(found) == [f"/steps/0/window{pointer}"]
    (detail,) = found.values()
    assert detail.startswith("Step 'wait': ")
    assert word in detail


@pytest.mark.parametrize(
    ("step", "pointer", "word"),
    [
        ({"key": "a", "type": "pigeon", "template": {}}, "/type", "there are email, in_app"),
        ({"key": "a"}, "/type", "Missing"),
        ({"key": "a", "type": 3}, "/type", "Expected"),
        ({"type": "in_app", "template": {"title": "x"}}, "/key", "Missing"),
        ({"key": "A b", "type": "in_app", "template": {"title": "x"}}, "/key", "matching"),
        ({"key": "a", "type": "in_app"}, "/template", "Missing"),
        ({"key": "a", "type": "in_app", "template": {}}, "/template", "Says nothing"),
        ({"key": "a", "type": "in_app", "template": {"title": 3}}, "/template/title", "text"),
        ({"key": "a", "type": "in_app", "template": "no such key!"}, "/template", "letters"),
        ({"key": "a", "type": "in_app", "template": {"locales": {}}}, "/template/locales", "object"),
        ({"key": "a", "type": "in_app", "template": {"locales": {"default": {"title": "x"}, "x!": {"title": "x"}}}}, "/template/locales/x!", "locale"),
        ({"key": "a", "type": "in_app", "template": {"title": "x"}, "quiet_hours": "shout"}, "/quiet_hours", "Invalid enum"),
        ({"key": "a", "type": "in_app", "template": {"title": "x"}, "colour": 1}, "/colour", "Unknown field"),
        ({"key": "a", "type": "delay"}, "", "exactly one"),
        ({"key": "a", "type": "delay", "for": "PT1M", "until": "x"}, "", "exactly one"),
        ({"key": "a", "type": "delay", "for": "PT0.5S"}, "/for", "one second"),
        ({"key": "a", "type": "condition"}, "/if", "Needs"),
        ({"key": "a", "type": "condition", "if": {"nope": 1}}, "/if", "Unknown operator"),
        ({"key": "a", "type": "condition", "if": {"var": "dada.x"}}, "/if", "dada.x is unknown"),
        ({"key": "a", "type": "condition", "if": {"var": "steps.a.seen"}}, "/if", "earlier"),
        ({"key": "a", "type": "condition", "if": {"var": "data.x"}, "else": "gone"}, "/else", "No step"),
        ({"key": "a", "type": "condition", "if": {"var": "data.x"}, "else": "a"}, "/else", "later"),
        ({"key": "a", "type": "digest"}, "/window", "Missing"),
        ({"key": "a", "type": "digest", "window": {"for": "PT1M"}, "max_items": 0}, "/max_items", ">= 1"),
        ({"key": "a", "type": "throttle", "limit": 0, "window": "PT1M"}, "/limit", ">= 1"),
        ({"key": "a", "type": "throttle", "limit": 1, "window": "PT0S"}, "/window", "one second"),
        ({"key": "a", "type": "fallback", "channels": ["push"], "wait": "PT1M"}, "/template", "Needs a template"),
        ({"key": "a", "type": "fallback", "channels": ["fax"], "wait": "PT1M", "template": "t"}, "/channels/0", "No such"),
        ({"key": "a", "type": "fallback", "channels": ["sms", "sms"], "wait": "PT1M", "template": "t"}, "/channels/1", "twice"),
        ({"key": "a", "type": "fallback", "channels": ["sms"], "wait": "PT1M", "template": "t", "templates": {"email": "t"}}, "/templates/email", "does not use"),
        ({"key": "a", "type": "escalate", "to": ["x"], "every": "PT1M"}, "/channels", "Needs channels"),
        ({"key": "a", "type": "escalate", "to": ["a/b"], "every": "PT1M", "channels": ["sms"], "template": "t"}, "/to/0", "slash"),
        ({"key": "a", "type": "escalate", "to": ["x"], "every": "P90D", "times": 9, "channels": ["sms"], "template": "t"}, "/every", "400 days"),
        ({"key": "a", "type": "escalate", "to": ["x"], "every": "PT1M", "times": 21, "channels": ["sms"], "template": "t"}, "/times", "<= 20"),
    ],
)  # fmt: skip
def test_bad_steps(step: Any, pointer: str, word: str) -> None:
    found = faults(of_steps(step))
    assert list(found) == [f"/steps/0{pointer}"]
    (detail,) = found.values()
    assert word in detail
    if step.get("key") == "a":
        assert detail.startswith("Step 'a': ")


def test_every_fault_is_told_with_its_step() -> None:
    found = faults(
        of_steps(
            BELL,
            BELL | {"if": {"var": "steps.bell.sold"}},
            {"key": "mail", "type": "email"},
            {"key": "wait", "type": "digest", "window": {"cron": "x"}},
        )
        | {"category": "a b", "schema": {"type": "nope"}}
    )
    assert found == {
        "/category": "Must be 1 to 255 letters, digits or any of . _ : @ - and begin with a letter or digit.",
        "/schema/type": found["/schema/type"],
        "/steps/1/if": "Step 'bell': steps.bell.sold is unknown; steps have acknowledged, delivered, read, seen, "
        "sent, skipped, state.",
        "/steps/1/key": "Step 'bell': Another step has this key.",
        "/steps/2/template": "Step 'mail': Missing field `template`.",
        "/steps/3/window/cron": "Step 'wait': A cron rule has five fields: minute, hour, day of month, month, "
        "day of week.",
    }


@pytest.mark.parametrize(
    "raw", [None, [], "x", {}, {"name": "x"}, {"name": "", "steps": [BELL]}, {"name": "x", "steps": []}]
)
def test_what_is_no_workflow_at_all(raw: Any) -> None:
    assert faults(raw)


def test_at_most_50_steps() -> None:
    assert not faults(of_steps(*(BELL | {"key": f"s{index}"} for index in range(50))))
    assert "/steps" in faults(of_steps(*(BELL | {"key": f"s{index}"} for index in range(51))))


def test_what_was_saved_is_read_whatever_channels_there_are_now() -> None:
    assert parse(of_steps(BELL | {"type": "pigeon"}), channels=None).steps[0].key == "bell"


def test_liquid_is_checked_and_faults_point_into_the_text() -> None:
    found = faults(
        of_steps(
            BELL | {"template": {"title": "{{ dada.x }}", "body": "{% for %}"}},
            {"key": "wait", "type": "digest", "digest_key": "{{", "window": {"for": "PT1M"}},
            {"key": "once", "type": "throttle", "throttle_key": "{{ x", "limit": 1, "window": "PT1M"},
            {"key": "later", "type": "delay", "until": "{% if %}"},
            {
                "key": "loud",
                "type": "fallback",
                "channels": ["sms"],
                "wait": "PT1M",
                "templates": {"sms": {"hue": "x"}},
            },
        )
    )
    assert {pointer: detail.split(":")[0] for pointer, detail in found.items()} == {
        "/steps/0/template/title": "Step 'bell'",
        "/steps/0/template/body": "Step 'bell'",
        "/steps/1/digest_key": "Step 'wait'",
        "/steps/2/throttle_key": "Step 'once'",
        "/steps/3/until": "Step 'later'",
        "/steps/4/templates/sms/hue": "Step 'loud'",
    }


def test_what_was_saved_is_read_though_its_texts_would_not_pass_today() -> None:
    assert parse(of_steps(BELL | {"template": {"hue": "{{"}}), channels=None).steps[0].key == "bell"

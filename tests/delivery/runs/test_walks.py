"""Walks through workflows, step by step, on the real engine."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg import OperationalError

from delivery.erasing import erase_recipient
from delivery.runs.rows import Connection, versions_of
from notifications.executor import in_thread
from notifications.ids import new_uuid
from notifications.inbox.changes import apply_action
from notifications.workflows.versions import known_version
from tests.delivery.runs.flow import START, Flow, bell


async def test_a_channel_step_says_its_template(flow: Flow) -> None:
    await flow.publish("hello", [bell()])
    await flow.ask("hello", "u1", "u2", text="Hi *you*")
    await flow.run()
    assert await flow.titles("u1") == ["Hi *you*"]
    assert await flow.titles("u2") == ["Hi *you*"]
    assert await flow.runs() == []


async def test_steps_know_recipient_actor_and_workflow(flow: Flow) -> None:
    title = "{{ actor.name }} to {{ recipient.name }} in {{ workflow.name }}, {{ category }}"
    await flow.publish("hello", [bell(template={"title": title, "body": "b"})], category="chat")
    await flow.ask("hello", {"id": "ana", "name": "Ana"}, text="x")
    await flow.ask("hello", {"id": "u1", "name": "Bo"}, actor="ana", text="x")
    await flow.run()
    assert await flow.titles("u1") == ["Ana to Bo in Hello, chat"]


async def test_a_skipped_step_leaves_a_run_that_says_so(flow: Flow) -> None:
    await flow.publish("hello", [bell(**{"if": {">": [{"var": "data.n"}, 3]}})])
    await flow.ask("hello", data={"n": 2})
    await flow.ask("hello", data={"n": 4}, text="four")
    await flow.run()
    assert await flow.titles() == ["four"]
    (run,) = await flow.runs()
    assert (run["state"], run["reason"], run["log"][0]["code"]) == ("done", "completed", "skipped")


async def test_a_delay_waits_and_goes_on(flow: Flow) -> None:
    await flow.publish("later", [{"key": "wait", "type": "delay", "for": "PT15M"}, bell()])
    await flow.ask("later", text="at last")
    await flow.pass_time(minutes=14, seconds=59)
    assert await flow.titles() == []
    (run,) = await flow.runs()
    assert (run["state"], run["available_at"]) == ("waiting", START + timedelta(minutes=15))
    await flow.pass_time(seconds=1)
    assert await flow.titles() == ["at last"]
    (run,) = await flow.runs()
    assert (run["state"], run["reason"], run["available_at"]) == ("done", "completed", None)


async def test_a_delay_until_a_time_of_the_data(flow: Flow) -> None:
    await flow.publish("later", [{"key": "wait", "type": "delay", "until": "{{ data.at }}"}, bell()])
    await flow.ask("later", text="nine", data={"at": "2027-03-01T09:00:00Z"})
    await flow.ask("later", text="nonsense", data={"at": "soon"})
    await flow.pass_time(minutes=30)
    assert await flow.titles() == ["nonsense"]
    await flow.pass_time(minutes=30)
    assert await flow.titles() == ["nonsense", "nine"]


async def test_a_running_notification_keeps_its_version(flow: Flow) -> None:
    steps = [{"key": "wait", "type": "delay", "for": "PT15M"}]
    await flow.publish("v", [*steps, bell(template={"title": "old", "body": "b"})])
    await flow.ask("v")
    await flow.publish("v", [*steps, bell(template={"title": "new", "body": "b"})])
    await flow.ask("v")
    await flow.pass_time(minutes=15)
    assert await flow.titles() == ["old", "new"]


async def test_a_condition_ends_the_walk_or_goes_on_elsewhere(flow: Flow) -> None:
    rule = {"==": [{"var": "recipient.locale"}, "de"]}
    await flow.publish("ends", [{"key": "c", "type": "condition", "if": rule}, bell()])
    await flow.publish(
        "jumps",
        [
            {"key": "c", "type": "condition", "if": rule, "else": "other"},
            bell(template={"title": "deutsch", "body": "b"}),
            {"key": "other", "type": "in_app", "template": {"title": "all", "body": "b"}},
        ],
    )
    for key in ("ends", "jumps"):
        await flow.ask(key, {"id": "u1", "locale": "de"}, {"id": "u2", "locale": "en"}, text="ended")
    await flow.run()
    assert sorted(await flow.titles("u1")) == ["all", "deutsch", "ended"]
    assert await flow.titles("u2") == ["all"]
    reasons = {(run["reason"], run["log"][0]["code"]) for run in await flow.runs()}
    assert reasons == {("condition_not_met", "condition"), ("completed", "condition")}


async def test_a_later_step_asks_what_became_of_an_earlier_one(flow: Flow) -> None:
    later = {
        "key": "remind",
        "type": "in_app",
        "if": {"!": {"var": "steps.bell.seen"}},
        "template": {"title": "reminder", "body": "b"},
    }
    await flow.publish("twice", [bell(), {"key": "wait", "type": "delay", "for": "PT5M"}, later])
    await flow.ask("twice", "u1", "u2", text="first")
    await flow.run()
    await flow.world.connection.execute(
        "UPDATE notifications_inboxmessage m SET seen_at = now() FROM notifications_recipient r"
        " WHERE r.id = m.recipient_id AND r.external_id = 'u1'"
    )
    await flow.world.connection.execute(
        "UPDATE notifications_inbox i SET unseen = unseen - 1 FROM notifications_recipient r"
        " WHERE r.id = i.recipient_id AND r.external_id = 'u1'"
    )
    await flow.pass_time(minutes=5)
    assert await flow.titles("u1") == ["first"]
    assert await flow.titles("u2") == ["first", "reminder"]


@pytest.mark.parametrize("on_limit", ["defer", "drop"])
async def test_a_throttle_lets_so_many_through(flow: Flow, on_limit: str) -> None:
    throttle = {"key": "t", "type": "throttle", "limit": 2, "window": "PT1H", "on_limit": on_limit}
    await flow.publish("t", [throttle, bell()])
    for n in range(4):
        await flow.ask("t", text=str(n))
        await flow.pass_time(minutes=1)
    assert await flow.titles() == ["0", "1"]
    await flow.pass_time(minutes=56)
    expected = {"defer": ["0", "1", "2"], "drop": ["0", "1"]}
    assert await flow.titles() == expected[on_limit]
    await flow.pass_time(minutes=1)
    expected = {"defer": ["0", "1", "2", "3"], "drop": ["0", "1"]}
    assert await flow.titles() == expected[on_limit]


async def test_a_fallback_goes_on_until_it_was_seen(flow: Flow) -> None:
    step = {
        "key": "reach",
        "type": "fallback",
        "channels": ["webhook", "in_app", "email"],
        "until": "seen",
        "wait": "PT5M",
        "template": {"title": "{{ data.text }}", "body": "b"},
    }
    await flow.publish("f", [step, bell(template={"title": "then", "body": "b"})])
    await flow.ask("f", {"id": "u1", "email": "u1@example.com"}, text="look")
    await flow.run()
    assert await flow.told() == [("u1", "in_app", "delivered", "stored_in_inbox")]  # there is no endpoint to begin with
    await flow.pass_time(minutes=5)
    assert [row[1] for row in await flow.told()] == ["in_app", "email"]
    await flow.pass_time(minutes=5)
    assert await flow.titles() == ["look", "then"]
    (run,) = await flow.runs()
    assert [entry["code"] for entry in run["log"]] == ["no_way", "exhausted"]


async def test_an_escalation_climbs_until_it_is_acknowledged(flow: Flow) -> None:
    climb = {
        "key": "climb",
        "type": "escalate",
        "to": ["lead", "boss"],
        "every": "PT15M",
        "times": 4,
        "until": "acknowledged",
    }
    await flow.publish("fire", [bell(), climb])
    notification = await flow.ask("fire", text="fire")
    await flow.pass_time(minutes=15)
    assert (await flow.titles("lead"), await flow.titles("boss")) == (["fire"], [])
    await flow.pass_time(minutes=30)
    assert (await flow.titles("lead"), await flow.titles("boss")) == (["fire"], ["fire", "fire"])
    await acknowledge(flow, notification)
    await flow.pass_time(hours=3)
    assert await flow.titles("boss") == ["fire", "fire"]
    (run,) = await flow.runs()
    assert (run["state"], run["log"][-1]["code"]) == ("done", "acknowledged")


async def test_acknowledging_in_the_inbox_ends_an_escalation(flow: Flow) -> None:
    climb = {"key": "climb", "type": "escalate", "to": ["lead"], "every": "PT15M", "times": 3, "until": "acknowledged"}
    await flow.publish("fire", [bell(), climb])
    await flow.ask("fire", text="fire")
    await flow.pass_time(minutes=15)
    (message,) = await flow.world.rows(
        "SELECT m.id, m.recipient_id FROM notifications_inboxmessage m JOIN notifications_recipient r ON r.id = m.recipient_id"
        " WHERE r.external_id = 'lead'"
    )
    await apply_action(
        flow.world.connection, recipient_pk=message["recipient_id"], action="acknowledge", message_ids=[message["id"]]
    )
    await flow.pass_time(hours=2)
    assert await flow.titles("lead") == ["fire"]


async def test_an_escalation_ends_unanswered(flow: Flow) -> None:
    climb = {"key": "climb", "type": "escalate", "to": ["lead"], "every": "PT15M", "times": 2, "until": "acknowledged"}
    await flow.publish("fire", [bell(), climb])
    await flow.ask("fire", text="fire")
    await flow.pass_time(hours=3)
    assert await flow.titles("lead") == ["fire", "fire"]
    (run,) = await flow.runs()
    assert run["log"][-1]["code"] == "unanswered"


async def test_who_was_erased_is_called_no_more_and_not_made_anew(flow: Flow) -> None:
    climb = {
        "key": "climb",
        "type": "escalate",
        "to": ["lead", "boss"],
        "every": "PT15M",
        "times": 3,
        "until": "acknowledged",
    }
    await flow.publish("fire", [bell(), climb])
    await flow.ask("fire", text="fire")
    await flow.pass_time(minutes=15)
    assert (await flow.titles("lead"), await flow.titles("boss")) == (["fire"], [])
    for name, left in (("lead", ["boss"]), ("boss", [])):
        await in_thread(erase_recipient, project_id=flow.world.project_id, external_id=name)
        await flow.pass_time(minutes=15)
        known = await flow.world.rows("SELECT external_id FROM notifications_recipient")
        assert {row["external_id"] for row in known} == {"u1", *left}
    (run,) = await flow.runs()
    told = [(entry["code"], entry["detail"].get("to")) for entry in run["log"]]
    assert told == [("escalated", None), ("escalated", None), ("nobody_to_call", None)]


async def test_cancelling_ends_a_walk(flow: Flow) -> None:
    await flow.publish("later", [{"key": "wait", "type": "delay", "for": "PT15M"}, bell()])
    notification = await flow.ask("later", "u1", "u2")
    await flow.cancel(notification)
    await flow.pass_time(hours=1)
    assert await flow.titles() == []
    assert {(run["state"], run["reason"]) for run in await flow.runs()} == {("cancelled", "cancelled_by_caller")}


async def test_a_walk_expires_with_its_notification(flow: Flow) -> None:
    await flow.publish("later", [{"key": "wait", "type": "delay", "for": "PT15M"}, bell()])
    await flow.ask("later", expires_at="2027-03-01T08:10:00Z")
    await flow.pass_time(hours=1)
    assert await flow.titles() == []
    (run,) = await flow.runs()
    assert (run["state"], run["reason"]) == ("expired", "expires_at_passed")


async def test_the_request_may_leave_channels_out(flow: Flow) -> None:
    mail = {"key": "mail", "type": "email", "template": {"subject": "s", "body": "b"}}
    await flow.publish("both", [bell(), mail])
    await flow.ask("both", {"id": "u1", "email": "u1@example.com"}, channels=["email"])
    await flow.run()
    assert [(channel, state) for _, channel, state, _ in await flow.told()] == [("email", "queued")]


async def test_a_template_that_cannot_be_filled_in_fails_with_its_reason(flow: Flow) -> None:
    await flow.publish("bad", [bell(template={"title": "t", "body": "b", "action_url": "{{ data.url }}"})])
    await flow.ask("bad", data={"url": "javascript:alert(1)"})
    await flow.run()
    assert await flow.told() == [("u1", "in_app", "failed", "template_failed")]


async def test_a_topic_walks_everybody(flow: Flow) -> None:
    members = await flow.world.add_recipients(*(f"m{n}" for n in range(30)))
    await flow.world.add_topic("team", members)
    await flow.publish("all", [bell(), {"key": "wait", "type": "delay", "for": "PT5M"}, bell(key="again")])
    await flow.ask("all", {"topic": "team"}, "extra", text="hi")
    await flow.pass_time(minutes=5)
    assert [await flow.titles(f"m{n}") for n in range(30)] == [["hi", "hi"]] * 30
    assert await flow.titles("extra") == ["hi", "hi"]


async def acknowledge(flow: Flow, notification: Any) -> None:
    from notifications.executor import in_thread
    from notifications.services.acknowledgements import acknowledge

    await in_thread(acknowledge, notification_id=notification, external_id="lead")


async def test_a_version_that_accepting_read_is_not_read_again_to_walk(flow: Flow, other: Connection) -> None:
    version_id = await flow.publish("hello", [bell()])
    await flow.accept("hello", text="Hi")
    await other.close()
    versions = await versions_of(other, [version_id, version_id])
    assert [(version.id, version.key) for version in versions.values()] == [(version_id, "hello")]
    assert known_version(version_id) is versions[version_id]
    with pytest.raises(OperationalError):
        await versions_of(other, [new_uuid()])


async def test_whoever_is_reached_by_topic_and_by_name_walks_once(flow: Flow) -> None:
    people = await flow.world.add_recipients("u1", "u2", "u3")
    await flow.world.add_topic("left", people[:2])
    await flow.world.add_topic("right", people[1:])
    throttle = {"key": "few", "type": "throttle", "limit": 1, "window": "PT1H", "on_limit": "defer"}
    await flow.publish("news", [throttle, bell()])
    await flow.ask("news", {"topic": "left"}, {"topic": "right"}, "u1", "u3", "u4", text="once")
    await flow.run()
    assert await flow.runs() == []
    for name in ("u1", "u2", "u3", "u4"):
        assert await flow.titles(name) == ["once"]

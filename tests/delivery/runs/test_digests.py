"""Digests on the real engine: what joins, when they close, and that each event goes out once. With the errors of others by name.

The numbers are those of Novu's issues, each the report of a digest that lost, doubled or mixed something.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.delivery.runs.flow import Flow, bell, digest, listed


async def fill(flow: Flow, key: str, *texts: str, recipient: Any = "u1", minutes: float = 1, **more: Any) -> None:
    for text in texts:
        await flow.ask(key, recipient, text=text, **more)
        await flow.pass_time(minutes=minutes)


async def test_a_digest_goes_out_once_with_everything(flow: Flow) -> None:
    await flow.publish("c", [bell(), digest(), listed()])
    await fill(flow, "c", "one", "two", "three")
    assert await flow.titles() == ["one", "two", "three"]
    await flow.pass_time(minutes=27)
    assert await flow.titles() == ["one", "two", "three", "3: one two three"]
    told = [row for row in await flow.world.deliveries() if row["step"] == "list"]
    assert [(row["state"], row["reason"]) for row in told] == [
        ("delivered", "stored_in_inbox"),
        ("digested", "sent_in_digest"),
        ("digested", "sent_in_digest"),
    ]
    assert len({row["digest_id"] for row in told}) == 1
    await flow.pass_time(days=2)
    assert len(await flow.titles()) == 4


async def test_the_next_window_begins_with_the_next_event(flow: Flow) -> None:
    await flow.publish("c", [digest(), listed()])
    await fill(flow, "c", "one", "two", minutes=20)
    await fill(flow, "c", "three", minutes=60)
    assert await flow.titles() == ["2: one two", "1: three"]


async def test_people_keys_and_workflows_do_not_mix(flow: Flow) -> None:
    """Novu 2698, 3893: digests merged across keys and subscribers."""
    await flow.publish("c", [digest(digest_key="{{ data.thread }}"), listed()])
    await flow.publish("d", [digest(digest_key="{{ data.thread }}"), listed()])
    for key, recipient, thread, text in (
        ("c", "u1", "a", "1"), ("c", "u1", "b", "2"), ("c", "u2", "a", "3"), ("d", "u1", "a", "4"), ("c", "u1", "a", "5"),
    ):  # fmt: skip
        await flow.ask(key, recipient, text=text, data={"thread": thread})
    await flow.pass_time(hours=1)
    assert sorted(await flow.titles("u1")) == ["1: 2", "1: 4", "2: 1 5"]
    assert await flow.titles("u2") == ["1: 3"]


async def test_keys_of_any_size_and_kind(flow: Flow) -> None:
    await flow.publish("c", [digest(digest_key="{{ data.thread }}"), listed()])
    long = "x" * 900
    for thread, text in (
        (long + "a", "1"),
        (long + "b", "2"),
        (None, "3"),
        ("", "4"),
        ([1, 2], "5"),
        ("1 2", "6"),
        (long + "a", "7"),
    ):
        await flow.ask("c", text=text, data={"thread": thread})
    await flow.pass_time(hours=1)
    assert sorted(await flow.titles()) == ["1: 2", "1: 5", "1: 6", "2: 1 7", "2: 3 4"]


async def test_a_sliding_window_ends_at_its_maximum(flow: Flow) -> None:
    await flow.publish("c", [digest(window={"sliding": "PT5M", "max": "PT12M"}), listed()])
    await fill(flow, "c", "0", "4", "8", "11", minutes=4)
    assert await flow.titles() == ["3: 0 4 8"]
    await flow.pass_time(minutes=5)
    assert await flow.titles() == ["3: 0 4 8", "1: 11"]


async def test_a_sliding_window_closes_when_it_is_quiet(flow: Flow) -> None:
    await flow.publish("c", [digest(window={"sliding": "PT5M", "max": "PT1H"}), listed()])
    await fill(flow, "c", "0", "4", minutes=4)
    await flow.pass_time(seconds=59)
    assert await flow.titles() == []
    await flow.pass_time(seconds=1)
    assert await flow.titles() == ["2: 0 4"]


async def test_a_full_digest_goes_at_once_and_nothing_is_dropped(flow: Flow) -> None:
    """Novu 1633: events over the limit were dropped in silence."""
    await flow.publish("c", [digest(max_items=3), listed()])
    for n in range(8):
        await flow.ask("c", text=str(n))
        await flow.run()
    assert await flow.titles() == ["3: 0 1 2", "3: 3 4 5"]
    await flow.pass_time(minutes=30)
    assert await flow.titles() == ["3: 0 1 2", "3: 3 4 5", "2: 6 7"]


async def test_many_events_of_one_moment_fill_several_digests(flow: Flow) -> None:
    await flow.publish("c", [digest(max_items=3), listed()])
    for n in range(10):
        await flow.accept("c", text=str(n))
    await flow.pass_time(minutes=30)
    titles = await flow.titles()
    assert [title[0] for title in titles] == ["3", "3", "3", "1"]
    assert sorted(" ".join(title[3:] for title in titles).split()) == [str(n) for n in range(10)]


async def test_the_first_goes_at_once_and_the_rest_is_collected(flow: Flow) -> None:
    await flow.publish("c", [digest(first_at_once=True), listed()])
    await fill(flow, "c", "one", "two", "three", minutes=5)
    assert await flow.titles() == ["1: one"]
    await flow.pass_time(minutes=15)
    assert await flow.titles() == ["1: one", "2: two three"]
    await flow.pass_time(hours=1)
    await fill(flow, "c", "four")
    assert await flow.titles() == ["1: one", "2: two three", "1: four"]
    await flow.pass_time(hours=1)  # its window closes empty, and says nothing
    assert len(await flow.titles()) == 3


async def test_a_cancelled_event_leaves_its_digest(flow: Flow) -> None:
    """Novu 2569: cancelling one event cancelled the digest, or none of it."""
    await flow.publish("c", [digest(), listed()])
    first = await flow.ask("c", text="first")
    await flow.ask("c", text="second")
    await flow.cancel(first)
    await flow.pass_time(minutes=30)
    assert await flow.titles() == ["1: second"]


async def test_a_digest_whose_events_are_all_cancelled_says_nothing(flow: Flow) -> None:
    await flow.publish("c", [digest(), listed()])
    for notification in [await flow.ask("c", text="1"), await flow.ask("c", text="2")]:
        await flow.cancel(notification)
    await flow.pass_time(hours=1)
    assert await flow.titles() == []
    assert [run["reason"] for run in await flow.runs()] == ["digest_empty"]
    await fill(flow, "c", "3", minutes=60)
    assert await flow.titles() == ["1: 3"]


async def test_cancelling_who_speaks_for_a_digest_takes_it_from_nobody_else(flow: Flow) -> None:
    mail = {"key": "mail", "type": "email", "template": {"subject": "{{ total_items }}", "body": "b"}}
    await flow.publish("c", [digest(), mail])
    first = await flow.ask("c", {"id": "u1", "email": "u1@example.com"}, text="1")
    await flow.ask("c", text="2")
    await flow.pass_time(minutes=30)
    with pytest.raises(Exception, match="already gone out"):
        await flow.cancel(first)
    assert {state for _, _, state, _ in await flow.told()} == {"queued", "digested"}


async def test_an_event_that_expires_is_not_in_the_digest(flow: Flow) -> None:
    await flow.publish("c", [digest(), listed()])
    await flow.ask("c", text="short", expires_at="2027-03-01T08:10:00Z")
    await flow.ask("c", text="long")
    await flow.pass_time(minutes=30)
    assert await flow.titles() == ["1: long"]
    rows = await flow.world.rows("SELECT removed_reason FROM schedules_digestitem ORDER BY id")
    assert [row["removed_reason"] for row in rows] == ["expires_at_passed", ""]


async def test_several_digest_steps_in_one_workflow(flow: Flow) -> None:
    """Novu 2699, 4957: a second digest step lost or doubled what the first had collected."""
    second = digest(key="day", window={"for": "P1D"})
    await flow.publish("c", [digest(), listed(), second, listed(key="daily")])
    await fill(flow, "c", "one", "two", minutes=5)
    await flow.pass_time(hours=2)
    await fill(flow, "c", "three", minutes=60)
    assert await flow.titles() == ["2: one two", "1: three"]
    await flow.pass_time(days=1)
    assert await flow.titles() == ["2: one two", "1: three", "3: one two three"]


async def test_a_digest_behind_a_delay_collects_by_the_time_of_joining(flow: Flow) -> None:
    """Novu 4981: events that were delayed before missed the digest."""
    await flow.publish("c", [{"key": "d", "type": "delay", "for": "PT10M"}, digest(), listed()])
    await fill(flow, "c", "one", "two", minutes=5)
    await flow.pass_time(minutes=29)
    assert await flow.titles() == []
    await flow.pass_time(minutes=1)
    assert await flow.titles() == ["2: one two"]


async def test_a_delay_behind_a_digest_keeps_its_items(flow: Flow) -> None:
    await flow.publish("c", [digest(), {"key": "d", "type": "delay", "for": "PT10M"}, listed()])
    cancelled = await flow.ask("c", text="gone")
    await fill(flow, "c", "one", "two")
    await flow.pass_time(minutes=33)
    await flow.cancel(cancelled)
    await flow.pass_time(minutes=10)
    assert await flow.titles() == ["2: one two"]


async def test_a_new_version_goes_on_with_the_open_digest(flow: Flow) -> None:
    """Novu 12373: publishing while a digest was open sent it twice."""
    await flow.publish("c", [digest(), listed()])
    await flow.ask("c", text="old")
    await flow.publish("c", [digest(window={"for": "PT2H"}), listed(), bell(key="new")])
    await flow.ask("c", text="new")
    await flow.pass_time(hours=3)
    assert await flow.titles() == ["2: old new"]


async def test_newest_first(flow: Flow) -> None:
    await flow.publish("c", [digest(order="newest_first"), listed()])
    await fill(flow, "c", "one", "two", "three")
    await flow.pass_time(hours=1)
    assert await flow.titles() == ["3: three two one"]


async def test_a_condition_behind_a_digest_asks_about_all_of_its_events(flow: Flow) -> None:
    unseen = {"!": {"var": "steps.bell.seen"}}
    await flow.publish("c", [bell(), digest(), listed(**{"if": unseen})])
    await fill(flow, "c", "one", "two")
    await flow.world.connection.execute("UPDATE notifications_inboxmessage SET seen_at = now() WHERE title = 'one'")
    await flow.world.connection.execute("UPDATE notifications_inbox SET unseen = unseen - 1")
    await flow.pass_time(hours=1)
    assert await flow.titles() == ["one", "two", "2: one two"]


@pytest.mark.parametrize(
    ("timezone", "opened", "closes"),
    [
        # Europe/Berlin puts its clocks forward on 28 March 2027 at 2:00 and back on 31 October at 3:00.
        ("Europe/Berlin", datetime(2027, 3, 27, 20, 0, tzinfo=UTC), datetime(2027, 3, 28, 7, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2027, 3, 26, 20, 0, tzinfo=UTC), datetime(2027, 3, 27, 8, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2027, 10, 30, 20, 0, tzinfo=UTC), datetime(2027, 10, 31, 8, 0, tzinfo=UTC)),
        # America/New_York: 14 March 2027 and 7 November 2027 at 2:00.
        ("America/New_York", datetime(2027, 3, 14, 1, 0, tzinfo=UTC), datetime(2027, 3, 14, 13, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 3, 13, 1, 0, tzinfo=UTC), datetime(2027, 3, 13, 14, 0, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 11, 7, 1, 0, tzinfo=UTC), datetime(2027, 11, 7, 14, 0, tzinfo=UTC)),
        # Australia/Lord_Howe moves by half an hour: +11:00 until 4 April 2027 at 2:00, then +10:30; back on 3 October.
        ("Australia/Lord_Howe", datetime(2027, 4, 2, 23, 0, tzinfo=UTC), datetime(2027, 4, 3, 22, 30, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2027, 10, 2, 12, 0, tzinfo=UTC), datetime(2027, 10, 2, 22, 0, tzinfo=UTC)),
        # Asia/Kolkata never moves: +5:30.
        ("Asia/Kolkata", datetime(2027, 3, 28, 0, 0, tzinfo=UTC), datetime(2027, 3, 28, 3, 30, tzinfo=UTC)),
    ],
)
async def test_a_daily_digest_comes_by_the_recipients_clock(
    flow: Flow, timezone: str, opened: datetime, closes: datetime
) -> None:
    await flow.publish("c", [digest(window={"cron": "0 9 * * *", "timezone": "recipient"}), listed()])
    await flow.go_to(opened)
    await flow.ask("c", {"id": "u1", "timezone": timezone}, text="x")
    await flow.go_to(closes - timedelta(seconds=1))
    assert await flow.titles() == []
    await flow.go_to(closes)
    assert await flow.titles() == ["1: x"]

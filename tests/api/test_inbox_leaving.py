"""Deleting and acknowledging over HTTP, and what every door tells of messages that have left."""

import json
from typing import Any

from django.core.management import call_command

from notifications.database import connect
from notifications.executor import in_thread
from notifications.inbox.expiry import expire_due
from notifications.inbox.publish import publish
from tests.api.asking import assert_problem
from tests.api.following import Member, changes_up_to, following


async def delete(member: Member, message: dict[str, Any]) -> None:
    answer = await member.http.delete(f"/v1/inbox/messages/{message['id']}")
    assert (answer.status_code, answer.content) == (204, b""), answer.text


async def test_a_deleted_message_is_gone_for_everybody_and_again_is_no_fault(member: Member) -> None:
    first, second = await member.owner.append(2)
    async with member.stream(since=2) as events:
        await delete(member, first["message"])
        event = await following(events)
        assert (event.name, event.data["offset"], event.data["counts"]) == (
            "message.deleted",
            3,
            {"unread": 1, "unseen": 1},
        )
        assert (event.data["message"]["id"], event.data["message"]["title"]) == (first["message"]["id"], "")
    position = await member.position()
    await delete(member, first["message"])
    assert await member.position() == position
    assert [message["id"] for message in (await member.get("messages"))["data"]] == [second["message"]["id"]]
    refused = await member.http.post(f"/v1/inbox/messages/{first['message']['id']}/read")
    assert_problem(refused, 404, code="not_found")


async def test_only_ones_own_can_be_deleted(member: Member, stranger: Any) -> None:
    [event] = await stranger.append()
    await member.get("counts")
    answer = await member.http.delete(f"/v1/inbox/messages/{event['message']['id']}")
    assert_problem(answer, 404, code="not_found")
    assert_problem(await member.http.delete("/v1/inbox/messages/msg_none"), 404, code="not_found")


async def test_who_was_away_is_told_of_each_change_once_and_of_nothing_that_was_deleted(member: Member) -> None:
    first, _ = await member.owner.append(2)
    start = await member.position()
    await member.act(first["message"], "read")
    await delete(member, first["message"])
    told = await member.get("events", since=0, epoch=start["epoch"], wait=0)
    assert [(c["offset"], c["event"]) for c in told["changes"]] == [
        (1, "message.deleted"),
        (2, "message.created"),
        (3, "message.deleted"),
        (4, "message.deleted"),
    ]
    assert "Message 1" not in json.dumps(told)
    async with member.stream(last_event_id=f"{start['epoch']}:0") as events:
        assert [event.name for event in await changes_up_to(events, 4)] == [c["event"] for c in told["changes"]]


async def test_acknowledged_once_and_told_with_its_time(member: Member) -> None:
    [event] = await member.owner.append()
    answer = await member.act(event["message"], "acknowledge")
    assert answer["acknowledged_at"] and answer["read_at"] and answer["seen_at"]
    assert await member.act(event["message"], "acknowledge") == answer
    assert (await member.position())["since"] == 2


async def test_what_expires_is_told_live_and_leaves_the_list(member: Member) -> None:
    await member.owner.append(2)
    async with member.stream(since=2) as events:
        async with await connect() as conn:
            await conn.execute(
                """UPDATE notifications_inboxmessage SET expires_at = now() WHERE recipient_id = %s AND "offset" = 1""",
                [member.owner.pk],
            )
            expired, _ = await expire_due(conn)
        await publish(expired)
        event = await following(events)
    assert (event.name, event.data["counts"]) == ("message.expired", {"unread": 1, "unseen": 1})
    assert [message["offset"] for message in (await member.get("messages"))["data"]] == [2]


async def test_after_a_restore_the_operator_makes_every_client_load_anew(member: Member) -> None:
    await member.owner.append(2)
    before = await member.position()
    async with member.stream(since=2) as events:
        await in_thread(call_command, "renew_inbox_epochs", project=str(member.owner.project_id), verbosity=0)
        reset = await following(events)
    assert (reset.name, reset.data["offset"]) == ("reset", 2)
    told = await member.get("events", wait=0, **before)
    assert (told["recovered"], told["changes"]) == (False, [])
    assert told["epoch"] != before["epoch"]


async def test_a_stream_that_the_log_was_cut_under_is_told_to_load_anew(member: Member) -> None:
    await member.owner.append(3)
    async with member.stream(since=3) as events, await connect() as conn:
        # What retention does to a client that stands far behind.
        await conn.execute(
            """WITH gone AS (DELETE FROM notifications_inboxevent WHERE recipient_id = %(pk)s)
               UPDATE notifications_inbox SET kept_from = 6, "offset" = 6 WHERE recipient_id = %(pk)s""",
            {"pk": member.owner.pk},
        )
        await member.owner.append(1)
        reset = await following(events)
        assert (reset.name, reset.data["offset"]) == ("reset", 7)
        await member.owner.append(1)
        assert [event.data["offset"] for event in await changes_up_to(events, 8)] == [8]
    told = await member.get("events", since=3, wait=0)
    assert (told["recovered"], told["changes"], told["offset"]) == (False, [], 8)

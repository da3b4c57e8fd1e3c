"""Commands: answers by id, changes that take an offset once, and errors that change nothing."""

import asyncio
from typing import Any

import pytest

from notifications import ids
from notifications.database import connect
from notifications.inbox.publish import publish
from tests.consumers.conftest import MakeClient
from tests.consumers.inbox import Client, Owner


async def connected(owner: Owner, open_socket: MakeClient, messages: int = 0) -> tuple[Client, list[str]]:
    written = await owner.append(messages) if messages else []
    client = await open_socket()
    await client.connect(owner.token())
    return client, [event["message"]["id"] for event in written]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"id": 5}, "bad_command"),
        ({"list": {}}, "bad_command"),
        ({"id": True, "list": {}}, "bad_command"),
        ({"id": None, "list": {}}, "bad_command"),
        ({"id": 5, "list": {}, "read": {}}, "bad_command"),
        ({"id": 5, "dance": {}}, "unknown_command"),
        ({"id": 5, "read": {}}, "invalid"),
        ({"id": 5, "read": {"ids": []}}, "invalid"),
        ({"id": 5, "read": {"ids": [7]}}, "invalid"),
        ({"id": 5, "read": {"ids": ["msg_x"], "more": 1}}, "invalid"),
        ({"id": 5, "list": {"limit": 101}}, "invalid"),
        ({"id": 5, "list": {"before": 2**63}}, "invalid"),
        ({"id": 5, "list": "all"}, "invalid"),
        ({"id": 5, "read": {"ids": ["msg_x"]}}, "not_found"),
        ({"id": 5, "read": {"ids": [ids.encode("msg", ids.new_uuid())]}}, "not_found"),
        ({"id": 5, "connect": {"token": "x"}}, "already_connected"),
    ],
)
async def test_bad_command_is_answered_and_the_socket_lives(
    frame: dict[str, Any], code: str, owner: Owner, open_socket: MakeClient
) -> None:
    client, _ = await connected(owner, open_socket)
    await client.send(frame)
    answer = await client.receive()
    assert answer["error"]["code"] == code
    assert answer["id"] == (5 if frame.get("id") == 5 else None)
    assert "ok" in await client.ask({"id": "next", "list": {}})


async def test_commands_before_connect(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    assert (await client.ask({"id": 1, "read_all": {}}))["error"]["code"] == "not_connected"
    assert (await client.connect(owner.token()))["offset"] == 0


async def test_read_on_one_device_is_seen_on_the_other(owner: Owner, open_socket: MakeClient) -> None:
    client, messages = await connected(owner, open_socket, 3)
    other = await open_socket()
    await other.connect(owner.token())
    answer = await client.ask({"id": 2, "read": {"ids": messages[:2]}})
    assert answer["ok"] == {"offset": 5, "counts": {"unread": 1, "unseen": 1}}
    await asyncio.gather(client.follow_to(5), other.follow_to(5))
    assert other.offsets == client.offsets == [4, 5]
    assert [event["event"] for event in other.events] == ["message.updated"] * 2
    assert [event["counts"]["unread"] for event in other.events] == [2, 1]
    assert [event["message"]["id"] for event in other.events] == messages[:2]
    assert all(event["message"]["read_at"] and event["message"]["seen_at"] for event in other.events)


async def test_repeating_a_change_takes_no_offset(owner: Owner, open_socket: MakeClient) -> None:
    client, messages = await connected(owner, open_socket, 2)
    first = await client.ask({"id": 1, "seen": {"ids": [messages[0], messages[0]]}})
    assert first["ok"] == {"offset": 3, "counts": {"unread": 2, "unseen": 1}}
    assert (await client.ask({"id": 2, "seen": {"ids": messages[:1]}}))["ok"] == first["ok"]
    assert (await client.ask({"id": 3, "unread": {"ids": messages}}))["ok"] == first["ok"]
    assert (await client.ask({"id": 4, "unarchive": {"ids": messages}}))["ok"] == first["ok"]


@pytest.mark.parametrize(
    ("steps", "unread", "unseen"),
    [
        (["seen"], 2, 1),
        (["read"], 1, 1),
        (["read", "unread"], 2, 1),
        (["archive"], 1, 1),
        (["archive", "unarchive"], 2, 2),
        (["read", "archive"], 1, 1),
        (["archive", "read", "unarchive"], 1, 1),
        (["archive", "read_all"], 0, 0),
        (["archive", "read_all", "unarchive"], 1, 1),
        (["seen_all"], 2, 0),
        (["acknowledge"], 1, 1),
        (["delete"], 1, 1),
        (["archive", "delete"], 1, 1),
        (["read", "unread", "delete"], 1, 1),
    ],
)
async def test_counts_are_of_what_is_not_archived(
    steps: list[str], unread: int, unseen: int, owner: Owner, open_socket: MakeClient
) -> None:
    client, messages = await connected(owner, open_socket, 2)
    for step in steps:
        answer = await client.ask({"id": 1, step: {} if step.endswith("all") else {"ids": messages[:1]}})
    assert answer["ok"]["counts"] == {"unread": unread, "unseen": unseen}
    async with await connect() as conn:
        cursor = await conn.execute(
            """SELECT count(*) FILTER (WHERE read_at IS NULL), count(*) FILTER (WHERE seen_at IS NULL)
               FROM notifications_inboxmessage WHERE recipient_id = %s AND archived_at IS NULL AND gone_at IS NULL""",
            [owner.pk],
        )
        assert await cursor.fetchone() == (unread, unseen)


async def test_read_all_of_many_reaches_every_device_once(owner: Owner, open_socket: MakeClient) -> None:
    client, _ = await connected(owner, open_socket, 1100)
    answer = await client.ask({"id": 1, "read_all": {}})
    assert answer["ok"] == {"offset": 2200, "counts": {"unread": 0, "unseen": 0}}
    await client.follow_to(2200)
    assert client.offsets == list(range(1101, 2201))


async def test_another_recipients_message_is_not_found(owner: Owner, stranger: Owner, open_socket: MakeClient) -> None:
    [theirs] = await stranger.append()
    client, messages = await connected(owner, open_socket, 1)
    answer = await client.ask({"id": 1, "archive": {"ids": [messages[0], theirs["message"]["id"]]}})
    assert answer["error"]["code"] == "not_found"
    assert (await client.ask({"id": 2, "list": {}}))["ok"]["messages"][0]["archived_at"] is None


async def test_list_by_pages_and_status(owner: Owner, open_socket: MakeClient) -> None:
    client, messages = await connected(owner, open_socket, 5)
    await client.ask({"id": 1, "archive": {"ids": messages[4:]}})
    await client.ask({"id": 2, "read": {"ids": messages[3:4]}})
    page = (await client.ask({"id": 3, "list": {"limit": 3}}))["ok"]
    assert [message["id"] for message in page["messages"]] == messages[3:0:-1]
    assert (page["offset"], page["counts"]) == (7, {"unread": 3, "unseen": 3})
    rest = (await client.ask({"id": 4, "list": {"limit": 3, "before": page["next"]}}))["ok"]
    assert [message["id"] for message in rest["messages"]] == messages[:1]
    assert rest["next"] is None
    archived = (await client.ask({"id": 5, "list": {"status": "archived"}}))["ok"]
    assert [message["id"] for message in archived["messages"]] == messages[4:]
    unread = (await client.ask({"id": 6, "list": {"status": "unread"}}))["ok"]
    assert [message["id"] for message in unread["messages"]] == messages[2::-1]


async def test_changes_at_once_from_many_devices(owner: Owner, open_socket: MakeClient) -> None:
    written = [event["message"]["id"] for event in await owner.append(30)]
    devices = [await open_socket() for _ in range(5)]
    for device in devices:
        await device.connect(owner.token())

    async def press(device: Client, step: int) -> None:
        for number, message in enumerate(written[step::2][:9]):
            await device.ask({"id": number, "read" if step else "archive": {"ids": [message]}})

    await asyncio.gather(*(press(device, number % 2) for number, device in enumerate(devices)), publish([]))
    await publish(await owner.append())
    last = 30 + 18 + 1
    await asyncio.gather(*(device.follow_to(last) for device in devices))
    for device in devices:
        assert device.offsets == list(range(31, last + 1))
        assert device.events[-1]["counts"] == {"unread": 13, "unseen": 13}

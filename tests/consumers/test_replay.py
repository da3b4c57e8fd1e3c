"""Connect, resume and live push: each change once and in order, whatever the layer does."""

import asyncio
import random
from uuid import uuid4

import pytest

from notifications.database import connect
from notifications.inbox.publish import publish
from tests.consumers.conftest import MakeClient
from tests.consumers.inbox import Owner


async def test_first_connect_is_told_where_the_inbox_stands(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    answer = await client.connect(owner.token())
    assert answer["recipient"] == owner.external_id
    assert answer["offset"] == 0
    assert answer["recovered"] is False
    assert answer["counts"] == {"unread": 0, "unseen": 0}
    assert answer["ping"] == 25
    again = await open_socket()
    assert (await again.connect(owner.token()))["epoch"] == answer["epoch"]


async def test_live_events_arrive_as_published(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.connect(owner.token())
    [event] = await owner.append()
    await publish([event])
    await client.follow_to(1)
    assert client.events == [
        {
            "event": "message.created",
            "offset": 1,
            "message": event["message"],
            "counts": {"unread": 1, "unseen": 1},
        }
    ]


async def test_replay_over_several_pages_then_live(owner: Owner, open_socket: MakeClient) -> None:
    epoch = (await owner.append(1203))[0]["epoch"]
    client = await open_socket()
    answer = await client.connect(owner.token(), {"epoch": epoch, "offset": 3})
    assert (answer["offset"], answer["recovered"], answer["counts"]["unread"]) == (1203, True, 1203)
    await client.follow_to(1203)
    await publish(await owner.append())
    await client.follow_to(1204)
    assert client.offsets == list(range(4, 1205))
    assert [event["message"] for event in client.events] == [event["message"] for event in owner.written[3:]]


async def test_writes_during_replay_neither_doubled_nor_swapped(owner: Owner, open_socket: MakeClient) -> None:
    epoch = (await owner.append(1500))[0]["epoch"]
    client = await open_socket()

    async def write() -> None:
        for _ in range(200):
            await publish(await owner.append())

    writing = asyncio.create_task(write())
    await client.connect(owner.token(), {"epoch": epoch, "offset": 0})
    await client.follow_to(1700)
    await writing
    assert client.offsets == list(range(1, 1701))


@pytest.mark.parametrize("seed", range(4))
async def test_a_layer_that_loses_repeats_and_swaps(seed: int, owner: Owner, open_socket: MakeClient) -> None:
    chance = random.Random(seed)
    client = await open_socket()
    await client.connect(owner.token())
    for _ in range(20):
        events = await owner.append(chance.randint(1, 12))
        sent = [event for event in events for _ in range(chance.choice((0, 0, 1, 1, 2)))]
        chance.shuffle(sent)
        await publish(sent)
    await publish(await owner.append())
    await client.follow_to(len(owner.written))
    assert client.offsets == list(range(1, len(owner.written) + 1))


async def test_a_hint_about_nothing_does_not_skip_what_comes(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.connect(owner.token())
    [event] = await owner.append()
    await publish([{**event, "offset": 5}])
    await client.follow_to(1)
    await publish(await owner.append(5))
    await client.follow_to(6)
    assert client.offsets == [1, 2, 3, 4, 5, 6]
    assert [event["message"]["offset"] for event in client.events] == [1, 2, 3, 4, 5, 6]


async def test_ping_finds_what_the_layer_never_told(owner: Owner, open_socket: MakeClient, settings) -> None:
    settings.CARILLON_CONSUMERS = type(settings.CARILLON_CONSUMERS)(tick_seconds=0.05, ping_seconds=0.2)
    client = await open_socket()
    await client.connect(owner.token())
    assert await client.next_position() == 0
    await owner.append(3)
    await client.follow_to(3)
    assert await client.next_position() == 3
    assert client.offsets == [1, 2, 3]


async def test_two_devices_get_the_same(owner: Owner, open_socket: MakeClient) -> None:
    first, second = await open_socket(), await open_socket()
    epoch = (await first.connect(owner.token()))["epoch"]
    await publish(await owner.append(3))
    await second.connect(owner.token(), {"epoch": epoch, "offset": 1})
    await publish(await owner.append(2))
    await asyncio.gather(first.follow_to(5), second.follow_to(5))
    assert first.offsets == [1, 2, 3, 4, 5]
    assert second.offsets == [2, 3, 4, 5]
    assert first.events[1:] == [
        {**event, "counts": first.events[event["offset"] - 1]["counts"]} for event in second.events
    ]


async def test_nobody_hears_another_recipient(owner: Owner, stranger: Owner, open_socket: MakeClient) -> None:
    mine, theirs = await open_socket(), await open_socket()
    await mine.connect(owner.token())
    await theirs.connect(stranger.token())
    await publish(await stranger.append(3))
    await publish(await owner.append(1))
    await asyncio.gather(mine.follow_to(1), theirs.follow_to(3))
    assert [event["message"]["id"] for event in mine.events] == [owner.written[0]["message"]["id"]]


@pytest.mark.parametrize(
    "since",
    [
        {"epoch": str(uuid4()), "offset": 1},
        {"epoch": "EPOCH", "offset": 4},
        {"epoch": "EPOCH", "offset": -1},
        {"epoch": "EPOCH", "offset": "1"},
        {"epoch": "EPOCH", "offset": True},
        {"epoch": 7, "offset": 1},
        {"epoch": "EPOCH"},
        {},
    ],
)
async def test_what_cannot_be_resumed_is_said(since: dict, owner: Owner, open_socket: MakeClient) -> None:
    epoch = (await owner.append(3))[0]["epoch"]
    client = await open_socket()
    if since.get("epoch") == "EPOCH":
        since = {**since, "epoch": epoch}
    answer = await client.connect(owner.token(), since)
    assert (answer["recovered"], answer["offset"], answer["epoch"]) == (False, 3, epoch)
    await publish(await owner.append())
    await client.follow_to(4)
    assert client.offsets == [4]


async def test_beyond_retention_is_said_and_a_hole_inside_is_passed(owner: Owner, open_socket: MakeClient) -> None:
    epoch = (await owner.append(10))[0]["epoch"]
    async with await connect() as conn:
        await conn.execute(
            'DELETE FROM notifications_inboxevent WHERE recipient_id = %s AND "offset" IN (1, 2, 3, 6, 10)', [owner.pk]
        )
    late, soon = await open_socket(), await open_socket()
    assert (await late.connect(owner.token(), {"epoch": epoch, "offset": 1}))["recovered"] is False
    assert (await soon.connect(owner.token(), {"epoch": epoch, "offset": 3}))["recovered"] is True
    await publish(await owner.append())
    await asyncio.gather(late.follow_to(11), soon.follow_to(11))
    assert late.offsets == [11]
    assert soon.offsets == [4, 5, 7, 8, 9, 11]


async def test_a_new_epoch_sends_live_sockets_away_to_load_anew(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    before = await client.connect(owner.token())
    async with await connect() as conn:
        await conn.execute(
            "UPDATE notifications_inbox SET epoch = gen_random_uuid() WHERE recipient_id = %s", [owner.pk]
        )
    await publish(await owner.append())
    assert await client.close_code() == 4503
    again = await open_socket()
    answer = await again.connect(owner.token(), {"epoch": before["epoch"], "offset": 0})
    assert answer["recovered"] is False

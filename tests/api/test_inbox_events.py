"""The inbox followed by server-sent events: replay and live, each change once and in order, whatever breaks."""

import asyncio
import random
from collections.abc import Callable

import pytest

from api import streaming
from api.views import inbox_events
from notifications.database import connect, make_pool
from notifications.inbox import process
from notifications.inbox.publish import publish
from notifications.inbox.watch import MOST_PER_RECIPIENT
from tests.api.asking import assert_problem
from tests.api.following import PATIENCE_SECONDS, Member, changes_up_to, following, new_epoch, until, watchers_of
from tests.consumers.inbox import Owner

Join = Callable[[Owner], Member]


async def test_stream_replays_then_follows(member: Member) -> None:
    position = await member.position()
    written = await member.owner.append(3)
    async with member.stream(**position) as events:
        replayed = await changes_up_to(events, 3)
        await publish(await member.owner.append(2))
        live = await changes_up_to(events, 5)
        await member.act(written[0]["message"], "read")
        [updated] = await changes_up_to(events, 6)
    assert [event.name for event in replayed + live] == ["message.created"] * 5
    assert [event.data["offset"] for event in replayed + live] == [1, 2, 3, 4, 5]
    assert [event.data["message"] for event in replayed] == [event["message"] for event in written]
    assert replayed[1].id == f"{position['epoch']}:2"
    assert (updated.name, updated.data["event"]) == ("message.updated", "message.updated")
    assert updated.data["message"]["read_at"] is not None
    assert updated.data["counts"] == {"unread": 4, "unseen": 4}


async def test_stream_without_a_position_begins_now(member: Member) -> None:
    await member.owner.append(2)
    async with member.stream() as events:
        begin = await following(events)
        await member.owner.append()
        [live] = await changes_up_to(events, 3)
    counts = await member.get("counts")
    assert (begin.name, begin.id) == ("position", f"{counts['epoch']}:2")
    assert begin.data == {"offset": 2, "epoch": counts["epoch"], "counts": {"unread": 2, "unseen": 2}}
    assert live.data["offset"] == 3


async def test_stream_needs_no_redis(member: Member) -> None:
    """Nothing is published: the poll of the database finds it."""
    async with member.stream(**await member.position()) as events:
        await until(lambda: watchers_of(member.owner) == 1)
        for offset in (1, 2):
            await member.owner.append()
            assert (await changes_up_to(events, offset))[0].data["offset"] == offset


async def test_stream_resumes_by_the_last_event(member: Member) -> None:
    """Dropped at random while messages come: each change once, in order, over all connections together."""
    total, seed = 120, random.Random(7)
    epoch = (await member.position())["epoch"]

    async def write() -> None:
        for number in range(total // 4):
            events = await member.owner.append(4)
            if number % 3:
                await publish(events)

    writing = asyncio.create_task(write())
    told: list[int] = []
    last = f"{epoch}:0"
    while len(told) < total:
        async with member.stream(last_event_id=last) as events:
            for _ in range(seed.randint(1, 15)):
                if len(told) == total:
                    break
                event = await following(events)
                assert event.name == "message.created"
                told.append(event.data["offset"])
                assert event.id is not None
                last = event.id
    await writing
    assert told == list(range(1, total + 1))
    await until(lambda: watchers_of(member.owner) == 0)


@pytest.mark.parametrize(
    "last", ["x", ":", "{epoch}:", "{epoch}:99", "{epoch}:-1", "other:1", "{epoch}:1:1", "9" * 400]
)
async def test_stream_that_cannot_be_resumed(member: Member, last: str) -> None:
    await member.owner.append(2)
    epoch = (await member.position())["epoch"]
    async with member.stream(last_event_id=last.format(epoch=epoch)) as events:
        begin = await following(events)
        await member.owner.append()
        [live] = await changes_up_to(events, 3)
    assert (begin.name, begin.data["offset"], begin.data["epoch"]) == ("reset", 2, epoch)
    assert live.data["offset"] == 3


async def test_what_is_no_longer_kept(member: Member) -> None:
    await member.owner.append(5)
    epoch = (await member.position())["epoch"]
    async with await connect() as conn:
        await conn.execute(
            'DELETE FROM notifications_inboxevent WHERE recipient_id = %s AND "offset" <= 2', [member.owner.pk]
        )
    kept = await member.get("events", since=2, epoch=epoch)
    assert (kept["recovered"], [change["offset"] for change in kept["changes"]]) == (True, [3, 4, 5])
    gone = await member.get("events", since=1, epoch=epoch)
    assert (gone["recovered"], gone["changes"], gone["offset"]) == (False, [], 5)
    async with member.stream(since=1, epoch=epoch) as events:
        assert (await following(events)).name == "reset"


async def test_history_that_changes_while_followed(member: Member) -> None:
    await member.owner.append()
    async with member.stream(**await member.position()) as events:
        await until(lambda: watchers_of(member.owner) == 1)
        await new_epoch(member.owner)
        reset = await following(events)
        await member.owner.append()
        [live] = await changes_up_to(events, 2)
    epoch = (await member.position())["epoch"]
    assert (reset.name, reset.data["epoch"], reset.data["offset"]) == ("reset", epoch, 1)
    assert live.id == f"{epoch}:2"


async def test_silence_is_filled(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_events, "_HEARTBEAT_SECONDS", 0.05)
    async with member.stream(**await member.position()) as events:
        assert [(await following(events)).name for _ in range(3)] == [":"] * 3


async def test_stream_outlives_the_database(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_events, "_HEARTBEAT_SECONDS", 0.1)
    position = await member.position()
    async with member.stream(**position) as events:
        await until(lambda: watchers_of(member.owner) == 1)
        door = process._Process.door
        assert door is not None
        with monkeypatch.context() as away:
            away.setattr(door.access, "_pool", make_pool(max_size=1))  # never opened, so it refuses
            answer = await member.http.get("/v1/inbox/events", params=position)
            assert_problem(answer, 503, code="unavailable")
            await member.owner.append(2)
            assert {(await following(events)).name for _ in range(3)} == {":"}
        assert [event.data["offset"] for event in await changes_up_to(events, 2)] == [1, 2]


async def test_stream_ends_with_its_token(member: Member) -> None:
    """A token is taken for five seconds beyond its end; this one has two of them left."""
    async with member.stream(token=member.owner.token(-3)) as events:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert {event.name async for event in events} <= {"position", ":"}
    await until(lambda: watchers_of(member.owner) == 0)


async def test_stream_ends_with_its_recipient(member: Member) -> None:
    async with member.stream() as events:
        await until(lambda: watchers_of(member.owner) == 1)
        async with await connect() as conn:
            await conn.execute("DELETE FROM notifications_inbox WHERE recipient_id = %s", [member.owner.pk])
            await conn.execute("DELETE FROM notifications_recipient WHERE id = %s", [member.owner.pk])
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert [event.name async for event in events] == ["position"]


async def test_only_so_many_streams_of_one_recipient(member: Member, stranger: Owner, join: Join) -> None:
    async with asyncio.TaskGroup() as group:
        enough = asyncio.Event()

        async def hold() -> None:
            async with member.stream() as events:
                await following(events)
                await enough.wait()

        for _ in range(MOST_PER_RECIPIENT):
            group.create_task(hold())
        await until(lambda: watchers_of(member.owner) == MOST_PER_RECIPIENT)
        position = await member.position()
        refused = await member.http.get("/v1/inbox/events", headers={"Accept": "text/event-stream"})
        refused_poll = await member.http.get("/v1/inbox/events", params=position)
        async with join(stranger).stream() as events:
            assert (await following(events)).name == "position"
        enough.set()
    for answer in (refused, refused_poll):
        assert_problem(answer, 429, code="too_many_streams")
        assert answer.headers["retry-after"] == "5"
    await until(lambda: watchers_of(member.owner) == 0)


async def test_who_does_not_read_is_dropped(member: Member, api_socket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_SEND_SECONDS", 0.3)
    await member.owner.append(90, body="x" * 50_000)
    reader, writer = await asyncio.open_unix_connection(api_socket, limit=1024)
    asked = (
        "GET /v1/inbox/events?since=0 HTTP/1.1\r\nHost: api.test\r\nAccept: text/event-stream\r\n"
        f"Authorization: Bearer {member.owner.token()}\r\n\r\n"
    )
    writer.write(asked.encode())
    await until(lambda: watchers_of(member.owner) == 1)
    await until(lambda: watchers_of(member.owner) == 0)
    assert (await member.get("counts"))["unread"] == 90
    received = 0
    try:
        while part := await reader.read(65536):
            received += len(part)
    except ConnectionResetError:
        pass
    assert received < 90 * 50_000
    writer.close()


async def test_head_of_a_stream_ends(member: Member) -> None:
    answer = await member.http.head("/v1/inbox/events", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    answer = await member.http.head("/v1/inbox/events", params=await member.position())
    assert answer.headers["content-type"] == "application/json"

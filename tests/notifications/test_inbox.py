"""The inbox log: heads, changes, and one shape for what is read and what is published."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from notifications.database import connect
from notifications.errors import NotFound
from notifications.ids import decode
from notifications.inbox import reads
from notifications.inbox.changes import apply_action
from notifications.inbox.reads import Position
from tests.consumers.inbox import Owner


async def test_head_is_made_once_and_stays(owner: Owner) -> None:
    async def look() -> Any:
        async with await connect() as conn:
            return await reads.head(conn, owner.pk)

    looked = await asyncio.gather(*(look() for _ in range(8)))
    assert len(set(looked)) == 1
    assert looked[0][1:4] == (0, 0, 0)
    [event] = await owner.append()
    assert event["epoch"] == str(looked[0].epoch)


async def test_heads_of_many_leave_out_the_unknown(owner: Owner, stranger: Owner) -> None:
    await owner.append(2)
    async with await connect() as conn:
        found = await reads.heads(conn, [owner.pk, stranger.pk, uuid4()])
    assert {pk: head.offset for pk, head in found.items()} == {owner.pk: 2, stranger.pk: 0}


async def test_only_inboxes_that_stand_elsewhere_are_told(owner: Owner, stranger: Owner) -> None:
    await owner.append(2)
    unknown = uuid4()
    async with await connect() as conn:
        heads = await reads.heads(conn, [owner.pk, stranger.pk])
        here = [Position(pk, str(head.epoch), head.offset) for pk, head in heads.items()]
        assert await reads.moved(conn, here) == {}
        behind = here[0]._replace(offset=1)
        assert await reads.moved(conn, [*here, behind]) == {owner.pk: heads[owner.pk]}
        ahead = here[0]._replace(offset=3)
        assert await reads.moved(conn, [ahead, here[1]]) == {owner.pk: heads[owner.pk]}
        other = here[1]._replace(epoch=str(uuid4()))
        assert await reads.moved(conn, [here[0], other]) == {stranger.pk: heads[stranger.pk]}
        assert await reads.moved(conn, [Position(unknown, str(uuid4()), 0), here[0]]) == {unknown: None}
        await conn.execute(
            "UPDATE notifications_inbox SET tokens_valid_from = now() WHERE recipient_id = %s", [stranger.pk]
        )
        revoked = await reads.moved(conn, here)
    assert [(pk, head is not None and head.tokens_valid_from is not None) for pk, head in revoked.items()] == [
        (stranger.pk, True)
    ]


async def test_changes_read_as_they_were_published(owner: Owner) -> None:
    written = await owner.append(7)
    async with await connect() as conn:
        page = await reads.changes(conn, owner.pk, after=2, upto=6, limit=3)
        rest = await reads.changes(conn, owner.pk, after=5, upto=6)
    assert [(each.offset, each.kind, each.message) for each in page] == [
        (event["offset"], event["event"], event["message"]) for event in written[2:5]
    ]
    assert [each.offset for each in rest] == [6]


async def test_update_reads_as_it_was_published(owner: Owner) -> None:
    [event] = await owner.append()
    async with await connect() as conn:
        message_id = decode("msg", event["message"]["id"])
        assert message_id is not None
        applied = await apply_action(conn, recipient_pk=owner.pk, action="read", message_ids=[message_id])
        [change] = await reads.changes(conn, owner.pk, after=1, upto=9)
        head = await reads.head(conn, owner.pk)
    assert head == applied.head
    assert (change.offset, change.kind, change.message) == (
        applied.events[0]["offset"],
        applied.events[0]["event"],
        applied.events[0]["message"],
    )


async def test_an_unknown_message_changes_nothing(owner: Owner) -> None:
    [event] = await owner.append()
    message_id = decode("msg", event["message"]["id"])
    assert message_id is not None
    async with await connect() as conn:
        with pytest.raises(NotFound):
            await apply_action(conn, recipient_pk=owner.pk, action="read", message_ids=[message_id, uuid4()])
        head = await reads.head(conn, owner.pk)
    assert head is not None and head[1:4] == (1, 1, 1)


async def test_oldest_of_an_empty_log(owner: Owner) -> None:
    async with await connect() as conn:
        assert await reads.oldest_offset(conn, owner.pk) is None
        await owner.append(2)
        assert await reads.oldest_offset(conn, owner.pk) == 1

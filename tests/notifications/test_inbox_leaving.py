"""Messages that leave an inbox: deleted, expired or beyond retention, always as logged changes with counts that fit."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from delivery.laws import LAWS
from notifications.database import connect
from notifications.errors import NotFound
from notifications.executor import in_thread
from notifications.ids import decode
from notifications.inbox import reads
from notifications.inbox.changes import apply_action
from notifications.inbox.epochs import renew_epochs
from notifications.inbox.expiry import expire_due
from notifications.inbox.following import find_standing
from notifications.inbox.keep import Keep
from notifications.inbox.reads import Connection, Head
from notifications.inbox.retention import Retention
from tests.consumers.inbox import Owner

INBOX_LAWS = [law for law in LAWS if law.code in ("inbox_without_gaps", "inbox_counts")]
AGED = """UPDATE notifications_inboxevent SET created_at = now() - interval '31 days'
          WHERE recipient_id = %s AND "offset" <= %s"""


async def ids_of(owner: Owner, count: int) -> list[UUID]:
    events = await owner.append(count)
    found = [decode("msg", event["message"]["id"]) for event in events]
    return [each for each in found if each is not None]


async def head_of(conn: Connection, owner: Owner) -> Head:
    head = await reads.head(conn, owner.pk)
    assert head is not None
    return head


async def check_laws(conn: Connection) -> None:
    for law in INBOX_LAWS:
        assert await (await conn.execute(law.breaking, {"since": UUID(int=0)})).fetchall() == [], law.code


async def run_pass(conn: Connection, keep: Keep) -> list[Any]:
    retention, events, more = Retention(keep), [], True
    while more:
        told, more = await retention.step(conn)
        events += told
    return events


async def test_a_deleted_message_is_told_and_nothing_it_said_is_left(owner: Owner) -> None:
    first, second = await ids_of(owner, 2)
    async with await connect() as conn:
        await apply_action(conn, recipient_pk=owner.pk, action="read", message_ids=[first])
        deleted = await apply_action(conn, recipient_pk=owner.pk, action="delete", message_ids=[first, second])
        assert [(e["event"], e["offset"], e["counts"]) for e in deleted.events] == [
            ("message.deleted", 4, {"unread": 1, "unseen": 1}),
            ("message.deleted", 5, {"unread": 0, "unseen": 0}),
        ]
        again = await apply_action(conn, recipient_pk=owner.pk, action="delete", message_ids=[first])
        assert again.events == [] and again.head == deleted.head
        with pytest.raises(NotFound):
            await apply_action(conn, recipient_pk=owner.pk, action="archive", message_ids=[first])
        assert await reads.messages(conn, owner.pk) == []
        assert await reads.message(conn, owner.pk, first) is None
        changes = await reads.changes(conn, owner.pk, after=0, upto=99)
        assert [(c.offset, c.kind) for c in changes] == [(n, "message.deleted") for n in range(1, 6)]
        assert {(c.message["title"], c.message["body"], str(c.message["data"])) for c in changes} == {("", "", "{}")}
        await check_laws(conn)


async def test_acknowledged_is_read_and_seen_and_happens_once(owner: Owner) -> None:
    [message_id] = await ids_of(owner, 1)
    async with await connect() as conn:
        applied = await apply_action(conn, recipient_pk=owner.pk, action="acknowledge", message_ids=[message_id])
        [event] = applied.events
        assert (event["event"], event["counts"]) == ("message.updated", {"unread": 0, "unseen": 0})
        message = event["message"]
        assert message["acknowledged_at"] == message["read_at"] == message["seen_at"] is not None
        assert (
            await apply_action(conn, recipient_pk=owner.pk, action="acknowledge", message_ids=[message_id])
        ).events == []


async def test_what_has_expired_leaves_once_whoever_looks(owner: Owner, stranger: Owner) -> None:
    mine, theirs = await ids_of(owner, 3), await ids_of(stranger, 1)
    async with await connect() as conn, await connect() as other:
        await conn.execute(
            "UPDATE notifications_inboxmessage SET expires_at = now() - interval '1 s' WHERE id = ANY(%s)",
            [[mine[0], mine[2], *theirs]],
        )
        await conn.execute(
            "UPDATE notifications_inboxmessage SET expires_at = now() + interval '1 h' WHERE id = %s", [mine[1]]
        )
        # Somebody is at the other inbox just now; that one waits for the next look.
        async with other.transaction(force_rollback=True):
            await other.execute("SELECT FROM notifications_inbox WHERE recipient_id = %s FOR UPDATE", [stranger.pk])
            events, _ = await expire_due(conn)
        assert [(e["event"], e["recipient"], e["offset"], e["counts"]["unread"]) for e in events] == [
            ("message.expired", owner.pk.hex, 4, 2),
            ("message.expired", owner.pk.hex, 5, 1),
        ]
        events, _ = await expire_due(conn)
        assert [e["recipient"] for e in events] == [stranger.pk.hex]
        assert await expire_due(conn) == ([], False)
        assert [m["id"] for m in await reads.messages(conn, owner.pk)] == [owner.written[1]["message"]["id"]]
        await check_laws(conn)


async def test_beyond_the_log_a_resume_says_so_and_the_rest_is_whole(owner: Owner) -> None:
    first, *_ = await ids_of(owner, 4)
    async with await connect() as conn:
        await apply_action(conn, recipient_pk=owner.pk, action="delete", message_ids=[first])
        await conn.execute(AGED, [owner.pk, 2])
        await run_pass(conn, Keep())
        head = await head_of(conn, owner)
        for offset, start in ((0, None), (1, None), (2, 2), (4, 4), (5, 5)):
            standing = await find_standing(conn, owner.pk, epoch=str(head.epoch), offset=offset)
            assert standing is not None and standing.start == start, offset
        assert [c.offset for c in await reads.changes(conn, owner.pk, after=2, upto=99)] == [3, 4, 5]
        await check_laws(conn)
        # The last change that told of the deleted message goes, and what was left of it with it.
        await conn.execute(AGED, [owner.pk, 5])
        await run_pass(conn, Keep())
        rows = await conn.execute("SELECT id FROM notifications_inboxmessage WHERE recipient_id = %s", [owner.pk])
        assert first not in {row[0] for row in await rows.fetchall()}
        standing = await find_standing(conn, owner.pk, epoch=str(head.epoch), offset=4)
        assert standing is not None and standing.start is None
        assert len(await reads.messages(conn, owner.pk)) == 3
        [event] = await owner.append()
        assert event["offset"] == 6
        await check_laws(conn)


async def test_a_change_that_committed_out_of_its_times_order_leaves_no_hole(owner: Owner) -> None:
    await owner.append(3)
    async with await connect() as conn:
        await conn.execute(
            """UPDATE notifications_inboxevent SET created_at = now() - interval '31 days'
               WHERE recipient_id = %s AND "offset" = 2""",
            [owner.pk],
        )
        await run_pass(conn, Keep())
        assert await reads.oldest_offset(conn, owner.pk) == 3
        await check_laws(conn)


async def test_too_many_and_too_old_messages_expire_and_too_long_a_log_is_cut(owner: Owner, stranger: Owner) -> None:
    await owner.append(7)
    [old, *_] = await ids_of(stranger, 2)
    async with await connect() as conn:
        # An id holds the time at which it was made.
        await conn.execute("SET session_replication_role = replica")
        aged = UUID(int=(old.int & ((1 << 80) - 1)))
        await conn.execute("UPDATE notifications_inboxevent SET message_id = %s WHERE message_id = %s", [aged, old])
        await conn.execute(
            "UPDATE notifications_inboxmessage SET id = %s, created_at = now() - interval '366 days' WHERE id = %s",
            [aged, old],
        )
        await conn.execute("SET session_replication_role = origin")
        events = await run_pass(conn, Keep(messages=4, changes=6))
        assert [(e["recipient"], e["event"], e["counts"]["unread"]) for e in events] == [
            (stranger.pk.hex, "message.expired", 1),
            *[(owner.pk.hex, "message.expired", n) for n in (6, 5, 4)],
        ]
        assert [m["offset"] for m in await reads.messages(conn, owner.pk)] == [7, 6, 5, 4]
        assert await reads.oldest_offset(conn, owner.pk) == 5
        assert (await head_of(conn, owner)).offset == 10
        await check_laws(conn)
        assert await run_pass(conn, Keep(messages=4, changes=6)) == []


async def test_passes_side_by_side_do_everything_once(owner: Owner) -> None:
    await owner.append(40)

    async def one() -> list[Any]:
        async with await connect() as conn:
            return await run_pass(conn, Keep(messages=10, changes=20))

    events = [event for told in await asyncio.gather(one(), one(), one()) for event in told]
    async with await connect() as conn:
        events += await run_pass(conn, Keep(messages=10, changes=20))
        assert sorted(event["offset"] for event in events) == list(range(41, 71))
        assert await reads.oldest_offset(conn, owner.pk) == 51
        await check_laws(conn)


@pytest.mark.parametrize("field", ["message_days", "messages", "log_days", "changes"])
def test_nonsense_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Keep(**{field: 0})


async def test_epochs_change_for_all_or_for_one_project(owner: Owner, stranger: Owner) -> None:
    await owner.append(2)
    await stranger.append(1)
    async with await connect() as conn:
        before = await reads.heads(conn, [owner.pk, stranger.pk])
        assert await in_thread(renew_epochs, project_id=uuid4()) == 0
        assert await in_thread(renew_epochs, project_id=owner.project_id) >= 1
        after = await reads.heads(conn, [owner.pk, stranger.pk])
        assert after[owner.pk].epoch != before[owner.pk].epoch
        assert after[owner.pk][1:] == before[owner.pk][1:]
        standing = await find_standing(conn, owner.pk, epoch=str(before[owner.pk].epoch), offset=2)
        assert standing is not None and standing.start is None
        assert await in_thread(renew_epochs) >= 2
        assert (await reads.heads(conn, [stranger.pk]))[stranger.pk].epoch != before[stranger.pk].epoch

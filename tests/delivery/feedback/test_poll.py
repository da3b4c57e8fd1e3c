"""The bounce mailbox over a real IMAP conversation: taken, then marked; cut off in between, taken again without harm."""

from dataclasses import replace
from typing import Any

import pytest

from delivery.feedback.conf import ImapMailbox, parse_imap_url
from delivery.feedback.poll import poll
from notifications.executor import in_thread
from tests.delivery.feedback.conftest import Send
from tests.delivery.feedback.samples import sample
from tests.delivery.world import World
from tests.fixtures.imap import ImapServer, Running


def mailbox_of(server: ImapServer, **more: Any) -> ImapMailbox:
    return replace(parse_imap_url(f"imap://bounces:secret@127.0.0.1:{server.port}/INBOX"), **more)


async def test_every_unseen_mail_is_taken_and_marked(world: World, send: Send) -> None:
    delivery = await send()
    server = ImapServer({7: sample("postfix_failed", delivery), 8: b"spam\r\n", 9: b"read\r\n"}, seen={9})
    with Running(server):
        assert await in_thread(poll, mailbox_of(server)) == 2
        assert server.seen == {7, 8, 9}
        assert await in_thread(poll, mailbox_of(server)) == 0
    (row,) = await world.rows("SELECT state, reason FROM delivery_delivery")
    assert (row["state"], row["reason"]) == ("failed", "bounced")
    (mailbox,) = await world.rows("SELECT * FROM delivery_bouncemailbox")
    assert (mailbox["last_error"], mailbox["lease_token"]) == ("", None)
    assert mailbox["polled_at"] is not None


async def test_read_mail_is_moved_where_asked(world: World, send: Send) -> None:
    server = ImapServer({7: sample("postfix_failed", await send())})
    with Running(server):
        assert await in_thread(poll, mailbox_of(server, move_to="Done")) == 1
    assert server.moved == {7: "Done"}


async def test_a_large_mailbox_is_asked_in_windows_and_read_in_full_batches(world: World) -> None:
    server = ImapServer(dict.fromkeys(range(1, 12001), b"spam\r\n"), seen=set(range(1, 11_990)))
    with Running(server):
        assert await in_thread(poll, mailbox_of(server, most_mails=4)) == 11
    assert len(server.seen) == 12_000
    assert server.longest_search == 5000


async def test_a_mail_that_cannot_be_dealt_with_is_flagged_and_blocks_no_others(world: World, send: Send) -> None:
    broken, good = await send("bo@example.com", name="bo"), await send()
    await world.connection.execute(
        f"CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN IF NEW.delivery_id = '{broken}' THEN RAISE 'no'; END IF; RETURN NEW; END $$"
    )
    await world.connection.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON delivery_deliveryevent FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    server = ImapServer({7: sample("postfix_failed", broken), 8: sample("postfix_failed", good)})
    try:
        with Running(server):
            assert await in_thread(poll, mailbox_of(server, move_to="Done")) == 2
    finally:
        await world.connection.execute("DROP FUNCTION refuse CASCADE")
    assert (server.seen, server.flagged, server.moved) == ({7, 8}, {7}, {8: "Done"})
    assert [row["delivery_id"] for row in await world.rows("SELECT delivery_id FROM delivery_deliveryevent")] == [good]
    (mailbox,) = await world.rows("SELECT lease_token, last_error FROM delivery_bouncemailbox")
    assert (mailbox["lease_token"], mailbox["last_error"]) == (None, "")


async def test_cut_off_before_the_mark_it_is_taken_again_and_counts_once(world: World, send: Send) -> None:
    server = ImapServer({7: sample("postfix_failed", await send())}, drop_before_store=True)
    with Running(server):
        assert await in_thread(poll, mailbox_of(server)) == 0
        assert len(await world.rows("SELECT FROM delivery_deliveryevent")) == 1
        server.drop_before_store = False
        assert await in_thread(poll, mailbox_of(server)) == 1
    assert len(await world.rows("SELECT FROM delivery_deliveryevent")) == 1


async def test_a_refused_login_stands_in_the_row_and_the_lease_keeps_a_second_reader_away(world: World) -> None:
    server = ImapServer(password="other")
    with Running(server):
        assert await in_thread(poll, mailbox_of(server)) == 0
        (row,) = await world.rows("SELECT last_error FROM delivery_bouncemailbox")
        assert "wrong password" in row["last_error"]
        await world.connection.execute("UPDATE delivery_bouncemailbox SET leased_until = now() + interval '1 min'")
        assert await in_thread(poll, mailbox_of(server)) is None


@pytest.mark.parametrize(
    "url",
    ["http://a:b@c/", "imaps://host/INBOX", "imaps://a:b@h/x?mood=1", "imaps://a%0A:b@h/", "imaps://a:b@h/Pr%C3%BCf"],
)
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(ValueError):
        parse_imap_url(url)

"""The bounce mailbox over a real IMAP conversation: taken, then marked; cut off in between, taken again without harm."""

from dataclasses import replace

import pytest

from delivery.feedback.conf import ImapMailbox, parse_imap_url
from delivery.feedback.poll import poll
from notifications.executor import in_thread
from tests.delivery.feedback.conftest import Send
from tests.delivery.feedback.samples import sample
from tests.delivery.world import World
from tests.fixtures.imap import ImapServer, Running


def mailbox_of(server: ImapServer, **more: str) -> ImapMailbox:
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


@pytest.mark.parametrize("url", ["http://a:b@c/", "imaps://host/INBOX", "imaps://a:b@h/x?mood=1", "imaps://a%0A:b@h/"])
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(ValueError):
        parse_imap_url(url)

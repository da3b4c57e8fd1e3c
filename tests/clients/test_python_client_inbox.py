"""An inbox through the Python client, followed across a lost answer."""

from collections.abc import Iterator

import pytest
from carillon_client import AsyncClient, AsyncInbox, Client, Inbox, NotFound
from carillon_client.inbox_results import InboxChange, InboxChanges

from tests.clients.asking import FAST, HELLO, finished
from tests.clients.proxy import LossyProxy
from tests.fixtures.platform import Platform


def test_an_inbox_is_read_changed_and_followed(client: Client, proxy: LossyProxy) -> None:
    token = client.tokens.create("watcher").token
    with Inbox(proxy.url, token, retries=FAST) as inbox:
        following = inbox.follow()
        start = next(following)
        assert (start.recovered, start.changes) == (False, ())
        sent = [client.notifications.send(recipients=["watcher"], **HELLO) for _ in range(2)]
        for each in sent:
            finished(client, each.id)
        proxy.lose(1)
        told = changes_of(following, 2)
        assert proxy.lost == 1
        assert [change.event for change in told] == ["message.created"] * 2
        newest, oldest = inbox.messages(status="unread")
        assert [change.message.id for change in told] == [oldest.id, newest.id]
        assert inbox.read(oldest.id).read_at is not None
        assert inbox.counts().unread == 1
        assert inbox.archive(newest.id).archived_at is not None
        assert [change.message.id for change in changes_of(following, 2)] == [oldest.id, newest.id]
        resumed = changes_of(inbox.follow(start.position), 4)
    first = start.offset + 1
    assert [change.offset for change in resumed] == list(range(first, first + 4)), "each once, in order"
    assert [change.message for change in resumed[2:]][-1].archived_at is not None


def test_a_message_is_acknowledged_and_deleted(client: Client, service: Platform) -> None:
    token = client.tokens.create("dutiful").token
    with Inbox(service.url, token, retries=FAST) as inbox:
        start = inbox.changes()
        finished(client, client.notifications.send(recipients=["dutiful"], **HELLO).id)
        (message,) = inbox.messages()
        assert inbox.acknowledge(message.id).acknowledged_at is not None
        inbox.delete(message.id)
        inbox.delete(message.id)
        told = inbox.changes(start.position).changes
        assert [(change.event, change.is_gone, change.message.title) for change in told] == [
            ("message.deleted", True, "")
        ] * 3
        assert list(inbox.messages()) == [] and inbox.counts().unread == 0


def test_a_persons_export_is_read(client: Client) -> None:
    client.recipients.put("exported", email="exported@example.com")
    finished(client, client.notifications.send(recipients=["exported"], **HELLO).id)
    first, *rest = client.recipients.export("exported")
    assert (first.type, first.data["email"]) == ("recipient", "exported@example.com")
    assert {"message", "notification", "delivery"} <= {line.type for line in rest}
    client.recipients.delete("exported")
    with pytest.raises(NotFound):
        client.recipients.export("exported")


async def test_an_inbox_is_followed_async(aclient: AsyncClient, service: Platform) -> None:
    token = (await aclient.tokens.create("awatcher")).token
    async with AsyncInbox(service.url, token) as inbox:
        following = aiter(inbox.follow())
        assert not (await anext(following)).recovered
        sent = await aclient.notifications.send(recipients=["awatcher"], **HELLO)
        told = await anext(following)
        assert told.recovered and told.counts.unread == 1
        (message,) = [message async for message in inbox.messages()]
        assert told.changes[0].message.id == message.id
        assert (await inbox.read_all()).unread == 0
        assert (await anext(following)).position == (await inbox.counts()).position
    assert sent.id


def changes_of(following: Iterator[InboxChanges], count: int) -> list[InboxChange]:
    """So many changes, whichever answers they come in."""
    found: list[InboxChange] = []
    while len(found) < count:
        batch = next(following)
        assert batch.recovered
        found += batch.changes
    return found

"""Heads kept in Redis: never older than what was published, gone when they can't be trusted, and never needed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from notifications.events import LiveEvent, access_hint
from notifications.inbox import head_cache
from notifications.inbox.head_cache import advance, cached_head
from notifications.inbox.layer import live_layer
from notifications.inbox.reads import Head
from notifications.inbox.shapes import live_event
from tests.fixtures.servers import RunningServer


class Database:
    """Stands for PostgreSQL: a head, and how often it was asked for."""

    def __init__(self) -> None:
        self.pk = uuid4()
        self.head: Head | None = Head(uuid4(), 5, 3, 2, datetime.now(UTC))
        self.reads = 0

    async def read(self, pk: UUID) -> Head | None:
        assert pk == self.pk
        self.reads += 1
        return self.head

    async def get(self) -> Head | None:
        return await cached_head(self.pk, self.read)

    def change(self, by: int = 1) -> LiveEvent:
        """Commit a change, to be published."""
        assert self.head is not None
        self.head = self.head._replace(offset=self.head.offset + by, unread=self.head.unread + by)
        return self.event()

    def event(self) -> LiveEvent:
        assert self.head is not None
        return live_event(
            recipient_pk=self.pk,
            epoch=self.head.epoch,
            offset=self.head.offset,
            event="message.created",
            message={},
            unread=self.head.unread,
            unseen=self.head.unseen,
        )

    async def kept(self) -> bytes | None:
        return await live_layer().quick_get(head_cache.key_of(self.pk.hex))


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    head_cache._Outage.ends_at = 0.0
    yield Database()
    await live_layer().flush()
    head_cache._Outage.ends_at = 0.0


async def test_is_read_once_and_kept_whole(database: Database) -> None:
    assert [await database.get() for _ in range(3)] == [database.head] * 3
    assert database.reads == 1


async def test_without_a_revocation(database: Database) -> None:
    assert database.head is not None
    database.head = database.head._replace(tokens_valid_from=None)
    assert [await database.get() for _ in range(2)] == [database.head] * 2


async def test_a_published_change_is_seen_without_a_read(database: Database) -> None:
    await database.get()
    await advance([database.change(), database.change(2)])
    assert await database.get() == database.head
    assert database.reads == 1


async def test_what_comes_late_or_twice_changes_nothing(database: Database) -> None:
    await database.get()
    early, late = database.change(), database.change()
    for events in ([late], [early], [late], [late, early]):
        await advance(events)
        assert await database.get() == database.head
    assert database.reads == 1


async def test_what_was_read_before_a_change_is_not_kept_after_it(database: Database) -> None:
    """The reader is slow: the change is committed and published between its read and its installing."""
    before = database.head

    async def read_slowly(pk: UUID) -> Head | None:
        await advance([database.change()])
        return before

    assert await cached_head(database.pk, read_slowly) == before
    assert await database.kept() is None
    assert await database.get() == database.head


async def test_what_was_read_before_a_revocation_is_not_kept_after_it(database: Database) -> None:
    before = database.head

    async def read_slowly(pk: UUID) -> Head | None:
        await advance([access_hint(pk)])
        return before

    await cached_head(database.pk, read_slowly)
    assert await database.kept() is None


async def test_access_and_epoch_are_read_again(database: Database) -> None:
    await database.get()
    assert database.head is not None
    database.head = database.head._replace(tokens_valid_from=datetime.now(UTC))
    await advance([access_hint(database.pk)])
    assert await database.get() == database.head
    database.head = database.head._replace(epoch=uuid4(), offset=1)
    await advance([database.event()])
    assert await database.get() == database.head
    assert database.reads == 3


async def test_a_change_does_not_prolong_an_entry(database: Database) -> None:
    """So that what was dropped on the way is found out in time, however much comes after it."""
    key, client = head_cache.key_of(database.pk.hex), live_layer().client_for(head_cache.key_of(database.pk.hex))
    await database.get()
    assert 0 < await client.pttl(key) <= head_cache.ENTRY_SECONDS * 1000
    await client.pexpire(key, 700)
    await advance([database.change()])
    assert 0 < await client.pttl(key) <= 700
    while await database.kept() is not None:  # noqa: ASYNC110 (what is waited for is in Redis)
        await asyncio.sleep(0.05)
    assert await database.get() == database.head
    assert database.reads == 2


async def test_many_readers_at_once(database: Database) -> None:
    assert await asyncio.gather(*(database.get() for _ in range(50))) == [database.head] * 50
    assert await database.get() == database.head


async def test_nobody_is_not_kept(database: Database) -> None:
    database.head = None
    assert [await database.get() for _ in range(2)] == [None, None]
    assert database.reads == 2


async def test_redis_emptied_gone_and_back(database: Database, valkey: RunningServer, settings: Any) -> None:
    config = {"hosts": [valkey.url], "prefix": "carillon"}
    settings.CHANNEL_LAYERS = {"default": {**settings.CHANNEL_LAYERS["default"], "CONFIG": config}}
    await database.get()
    await live_layer().client_for("x").flushall()
    database.change()  # nobody is told
    assert await database.get() == database.head
    valkey.kill()
    database.change()
    for _ in range(3):
        assert await database.get() == database.head
    valkey.start()
    head_cache._Outage.ends_at = 0.0
    database.change()
    # It may come back with what it had, for which time went on; and the first to ask may meet a broken connection.
    async with asyncio.timeout(4 * head_cache.ENTRY_SECONDS):
        while await database.get() != database.head:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        while await database.kept() is None:
            await database.get()
    reads = database.reads
    assert await database.get() == database.head
    assert database.reads == reads

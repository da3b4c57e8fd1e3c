"""Hints among many: nothing is lost on the way, and each listener gets what it asked for."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from notifications.events import Hint, LiveEvent, access_hint, inbox_group
from notifications.inbox.hints import PackedHint, packed, unpacked
from notifications.inbox.layer import LiveLayer, live_layer
from notifications.inbox.shapes import live_event


def change(recipient_pk: UUID, offset: int) -> LiveEvent:
    return live_event(
        recipient_pk=recipient_pk,
        epoch=uuid4(),
        offset=offset,
        event="message.created",
        message={"title": "Grüße \u2028", "data": {"n": 1.5}},
        unread=2,
        unseen=1,
    )


@pytest.fixture
async def layer() -> AsyncIterator[LiveLayer]:
    yield live_layer()
    await live_layer().flush()


def test_what_is_packed_comes_out_again() -> None:
    event = change(uuid4(), 7)
    assert unpacked(packed(event)) == event
    frame: dict[str, Any] = json.loads(packed(event)[3])
    assert frame == {name: event[name] for name in ("event", "offset", "message", "counts")}
    hint = access_hint(uuid4())
    assert unpacked(packed(hint)) == hint


async def arrived(hints: list[PackedHint], count: int) -> list[tuple[Any, ...]]:
    async with asyncio.timeout(5):
        while len(hints) < count:  # noqa: ASYNC110 (another task appends)
            await asyncio.sleep(0.01)
    return [tuple(each) for each in hints]


async def test_many_come_packed_or_one_by_one(layer: LiveLayer) -> None:
    mine, other = uuid4(), uuid4()
    taken: list[PackedHint] = []
    many = layer.new_hints_channel("many.", taken.extend)
    single = await layer.new_channel("single.")
    await layer.group_add_many([inbox_group(mine)], single)
    await layer.group_add_many([inbox_group(mine)], many)
    hints: list[Hint] = [change(pk, offset) for offset in range(1, 6) for pk in (mine, other)]
    hints.append(access_hint(mine))
    await layer.publish_hints(hints)
    assert await arrived(taken, len(hints)) == [packed(each) for each in hints]
    own = [each for each in hints if each["recipient"] == mine.hex]
    assert [await layer.receive(single) for _ in own] == own


async def test_one_alone_goes_to_its_group_only(layer: LiveLayer) -> None:
    mine = uuid4()
    taken: list[PackedHint] = []
    many, single = layer.new_hints_channel("many.", taken.extend), await layer.new_channel("single.")
    await layer.group_add_many([inbox_group(mine)], many)
    await layer.group_add_many([inbox_group(mine)], single)
    event = change(mine, 1)
    await layer.publish_one(change(uuid4(), 1), asking="none")
    await layer.publish_hints([change(uuid4(), 1)])
    await layer.publish_one(event, asking="none")
    await layer.publish_hints([event])
    assert await arrived(taken, 2) == [packed(event)] * 2
    assert [await layer.receive(single) for _ in range(2)] == [event] * 2


async def test_who_publishes_one_learns_what_is_kept_at_that_moment(layer: LiveLayer) -> None:
    key = f"carillon:test:{uuid4().hex}"
    assert await layer.publish_one(change(uuid4(), 1), asking=key) is None
    await layer.client_for(key).set(key, "kept", ex=5)
    assert await layer.publish_one(access_hint(uuid4()), asking=key) == b"kept"


async def test_a_message_of_another_consumer_reaches_a_hints_channel(layer: LiveLayer) -> None:
    mine = uuid4()
    taken: list[PackedHint] = []
    await layer.group_add_many([inbox_group(mine)], layer.new_hints_channel("many.", taken.extend))
    event = change(mine, 1)
    await layer.group_send(inbox_group(mine), dict(event))
    assert await arrived(taken, 1) == [packed(event)]


async def test_spread_over_two_servers(layer: LiveLayer) -> None:
    """Groups and kept heads each have a Redis of their own there; both halves of `publish_one` find theirs."""
    [host] = layer._get_layer()._shards
    spread = LiveLayer(hosts=[host.host, host.host])
    mine, keys = [uuid4() for _ in range(8)], [f"carillon:test:{uuid4().hex}" for _ in range(8)]
    taken: list[PackedHint] = []
    try:
        await spread.group_add_many([inbox_group(pk) for pk in mine], spread.new_hints_channel("many.", taken.extend))
        for key in keys:
            await spread.client_for(key).set(key, key, ex=5)
        for pk, key in zip(mine, keys, strict=True):
            assert await spread.publish_one(change(pk, 1), asking=key) == key.encode()
        assert sorted(each[0] for each in await arrived(taken, 8)) == sorted(pk.hex for pk in mine)
    finally:
        await spread.flush()

"""Hints among many: nothing is lost on the way, and each listener gets what it asked for."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from notifications.events import Hint, LiveEvent, access_hint, inbox_group
from notifications.inbox.hints import packed, unpacked
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


async def test_many_come_as_one_list_or_one_by_one(layer: LiveLayer) -> None:
    mine, other = uuid4(), uuid4()
    many = await layer.new_hints_channel("many.")
    single = await layer.new_channel("single.")
    await layer.group_add_many([inbox_group(mine)], single)
    await layer.group_add_many([inbox_group(mine)], many)
    hints: list[Hint] = [change(pk, offset) for offset in range(1, 6) for pk in (mine, other)]
    hints.append(access_hint(mine))
    await layer.publish_hints(hints)
    [received] = await layer.receive_many(many, limit=10)
    assert [tuple(each) for each in received] == [packed(each) for each in hints]
    own = [each for each in hints if each["recipient"] == mine.hex]
    assert [await layer.receive(single) for _ in own] == own


async def test_one_alone_is_not_packed(layer: LiveLayer) -> None:
    mine = uuid4()
    channel = await layer.new_hints_channel("many.")
    await layer.group_add_many([inbox_group(mine)], channel)
    event = change(mine, 1)
    await layer.publish_hints([change(uuid4(), 1)])
    await layer.publish_hints([event])
    assert await layer.receive_many(channel, limit=10) == [event]

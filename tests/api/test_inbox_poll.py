"""The inbox followed by long poll: at once what is there, else when it comes or the wait ends."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from notifications.inbox.publish import publish
from tests.api.following import PATIENCE_SECONDS, Member, new_epoch, until, watchers_of


async def test_poll_answers_at_once_what_is_there(member: Member) -> None:
    position = await member.position()
    written = await member.owner.append(2)
    answer = await member.get("events", **position)
    assert answer == {
        "changes": [
            {"event": "message.created", "offset": event["offset"], "message": event["message"]} for event in written
        ],
        "offset": 2,
        "epoch": position["epoch"],
        "recovered": True,
        "counts": {"unread": 2, "unseen": 2},
    }
    assert await member.get("events", since=0) == answer


@pytest.mark.parametrize("is_published", [True, False])
async def test_poll_waits_for_what_comes(member: Member, is_published: bool) -> None:
    asked = asyncio.create_task(member.get("events", **await member.position()))
    await until(lambda: watchers_of(member.owner) == 1)
    written = await member.owner.append()
    if is_published:
        await publish(written)
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await asked
    assert [change["offset"] for change in answer["changes"]] == [1]
    assert (answer["offset"], answer["recovered"]) == (1, True)


async def test_poll_that_waits_in_vain(member: Member) -> None:
    await member.owner.append()
    position = await member.position()
    for wait in (0, 1):
        began = time.monotonic()
        answer = await member.get("events", **position, wait=wait)
        assert time.monotonic() - began >= wait
        assert (answer["changes"], answer["offset"], answer["recovered"]) == ([], 1, True)
        assert answer["epoch"] == position["epoch"]


@pytest.mark.parametrize("asked", [{}, {"since": 99}, {"since": 1, "epoch": "other"}, {"epoch": "other"}])
async def test_poll_that_cannot_be_resumed(member: Member, asked: dict[str, Any]) -> None:
    await member.owner.append(2)
    answer = await member.get("events", **asked)
    assert (answer["changes"], answer["offset"], answer["recovered"]) == ([], 2, False)


async def test_poll_hears_of_a_new_history(member: Member) -> None:
    asked = asyncio.create_task(member.get("events", **await member.position()))
    await until(lambda: watchers_of(member.owner) == 1)
    await new_epoch(member.owner)
    answer = await asked
    assert (answer["changes"], answer["recovered"]) == ([], False)
    assert answer["epoch"] == (await member.position())["epoch"]


async def test_polls_by_the_page(member: Member) -> None:
    await member.owner.append(130)
    position: dict[str, Any] = {"since": 0}
    told: list[int] = []
    for _ in range(2):
        answer = await member.get("events", **position)
        told += [change["offset"] for change in answer["changes"]]
        position = {"since": answer["offset"], "epoch": answer["epoch"]}
    assert told == list(range(1, 131))


async def test_a_poll_whose_client_left_is_forgotten(member: Member) -> None:
    position = await member.position()
    with pytest.raises(httpx.ReadTimeout):
        await member.http.get("/v1/inbox/events", params=position, timeout=0.5)
    await until(lambda: watchers_of(member.owner) == 0)

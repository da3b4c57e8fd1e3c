"""Decisions of the inbox without I/O: what can be resumed, and who shares a call."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest

from notifications.inbox.batch import Batch
from notifications.inbox.reads import Head
from notifications.inbox.recovery import is_kept, resume_offset

HEAD = Head(uuid4(), 10, 1, 1)


@pytest.mark.parametrize(
    ("offset", "oldest", "kept"),
    [(10, None, True), (10, 99, True), (0, 1, True), (4, 5, True), (3, 5, False), (9, None, False)],
)
def test_what_the_log_still_has(offset: int, oldest: int | None, kept: bool) -> None:
    assert resume_offset(str(HEAD.epoch), offset, HEAD) == offset
    assert is_kept(offset, HEAD, oldest) is kept


@pytest.mark.parametrize("offset", [11, -1, 1.0, "1", None, True, [], {}])
def test_offsets_that_are_none_of_ours(offset: Any) -> None:
    assert resume_offset(str(HEAD.epoch), offset, HEAD) is None
    assert resume_offset(str(uuid4()), 1, HEAD) is None


async def test_batch_begins_after_the_call_and_shares() -> None:
    calls: list[list[int]] = []
    gate = asyncio.Event()

    async def fetch(keys: Sequence[int]) -> Mapping[int, int]:
        calls.append(sorted(keys))
        await gate.wait()
        if 13 in keys:
            raise OSError("unlucky")
        return {key: key * 2 for key in keys if key}

    batch = Batch(fetch, limit=3)
    first = [asyncio.create_task(batch.get(key)) for key in (1, 1)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = [asyncio.create_task(batch.get(key)) for key in (1, 0, 2, 13, 4)]
    await asyncio.sleep(0)
    second[0].cancel()
    gate.set()
    results = await asyncio.gather(*first, *second, return_exceptions=True)
    assert calls == [[1], [0, 1, 2], [4, 13]]
    assert results[:2] == [2, 2]
    assert isinstance(results[2], asyncio.CancelledError)
    assert results[3:5] == [None, 4]
    assert all(isinstance(result, OSError) for result in results[5:])

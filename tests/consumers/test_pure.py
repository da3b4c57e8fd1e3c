"""Decisions without I/O: origins, recovery, frames, batches."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers import frames
from consumers.batch import Batch
from consumers.origin import is_origin_allowed
from consumers.recovery import is_kept, resume_offset
from notifications.inbox.reads import Head

HEAD = Head(uuid4(), 10, 1, 1)


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        (None, "a.example", True),
        ("https://a.example", "a.example", True),
        ("https://a.example", "a.example:443", True),
        ("http://a.example:8000", "a.example:8000", True),
        ("https://A.Example", "a.example", True),
        ("https://bell.example", "10.0.0.1:8000", True),
        ("https://app.example:8443", "a.example", True),
        ("https://app.example", "a.example", False),
        ("http://bell.example", "10.0.0.1:8000", False),
        ("https://a.example:8443", "a.example", False),
        ("https://a.example.evil.example", "a.example", False),
        ("https://a.example@evil.example", "a.example", False),
        ("null", "a.example", False),
        ("null", None, False),
        ("", "a.example", False),
        ("https://[", "a.example", False),
        ("https://a.example:99999", "a.example", False),
        ("file://", "a.example", False),
    ],
)
def test_origin(origin: str | None, host: str | None, expected: bool) -> None:
    allowed = ["https://app.example:8443"]
    assert is_origin_allowed(origin, host=host, public_url="https://bell.example", allowed=allowed) is expected
    assert is_origin_allowed(origin, host=host, public_url="https://bell.example", allowed=["*"])


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


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["id", *frames.COMMANDS]), inner),
)


@given(st.text() | _json.map(lambda value: json.dumps(value)))
def test_any_text_is_a_command_or_a_known_fault(text: str) -> None:
    try:
        command = frames.parse_command(text)
    except frames.BadCommand as bad:
        frames.error(bad.command_id, bad.code, bad.title)
    except frames.NotJson:
        pass
    else:
        assert command.name in frames.COMMANDS


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

"""The plain form of `GET /v1/inbox/counts`: taken when it is plain, and given to the view when it is not."""

import json
from typing import Any
from uuid import UUID

import pytest

from api.plain_counts import plain_counts
from notifications.events import access_hint
from notifications.inbox.head_cache import advance
from tests.api.following import Member

OTHER = (b"x-other", b"1")


def scope_of(member: Member, *headers: tuple[bytes, bytes], method: str = "GET", query: bytes = b"") -> dict[str, Any]:
    credential = member.http.headers["authorization"].encode()
    return {"method": method, "query_string": query, "headers": [(b"authorization", credential), OTHER, *headers]}


async def test_says_what_the_view_says(member: Member) -> None:
    await member.owner.append(3)
    counts = await member.get("counts")
    for headers in ((), ((b"accept", b"*/*"),)):
        answer = await plain_counts(scope_of(member, *headers))
        assert answer is not None
        assert json.loads(answer.body) == counts
        assert dict(answer.headers)[b"etag"].decode() == f'"{UUID(counts["epoch"]).hex}.{counts["offset"]}"'


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"https://app.example"),
        (b"if-none-match", b"*"),
        (b"accept", b"text/html"),
        (b"authorization", b"Bearer x"),
        (b"content-length", b"2"),
        (b"transfer-encoding", b"chunked"),
    ],
)
async def test_what_is_not_plain_is_the_views(member: Member, header: tuple[bytes, bytes]) -> None:
    await member.get("counts")
    assert await plain_counts(scope_of(member)) is not None
    assert await plain_counts(scope_of(member, header)) is None
    assert await plain_counts(scope_of(member, method="HEAD")) is None
    assert await plain_counts(scope_of(member, query=b"x=1")) is None
    for credential in (b"", b"Basic x", b"Bearer x", b"Bearer \xff"):
        scope = {**scope_of(member), "headers": [(b"authorization", credential)]}
        assert await plain_counts(scope) is None


async def test_what_is_not_kept_is_the_views(member: Member) -> None:
    assert await plain_counts(scope_of(member)) is None
    await member.get("counts")
    assert await plain_counts(scope_of(member)) is not None
    await advance([access_hint(member.owner.pk)])
    assert await plain_counts(scope_of(member)) is None

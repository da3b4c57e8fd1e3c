"""`GET /v1/inbox/counts` in its plain form, answered from Redis without a request object.

Badges repeat it for ever, and nearly all of its answers are a token that is known, a head that is kept and a few bytes:
the framework would be half of the time. Whatever is not plain (a query, a page of another origin, another `Accept`, a
token that is not good, a head that is not kept) is the view's, whose answer is the same in every header.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from api.plain import JSON, PlainAnswer
from api.problems import HttpProblem
from api.throttle import check_rate
from notifications.inbox.head_cache import kept_head
from notifications.inbox.reads import Head
from notifications.tokens import BadToken, RecipientToken, read_known_token

PATH: Final = "/v1/inbox/counts"

_encode: Final = msgspec.json.Encoder().encode
_NOT_PLAIN: Final = frozenset(
    {b"origin", b"if-none-match", b"content-length", b"transfer-encoding", b"access-control-request-method"}
)
_HEADERS: Final = ((b"cache-control", b"private, no-cache"), (b"vary", b"Origin, Authorization"))


def counts_of(head: Head) -> dict[str, Any]:
    """The badge's numbers with the position they belong to."""
    return {"unread": head.unread, "unseen": head.unseen, "offset": head.offset, "epoch": str(head.epoch)}


def tag_of(head: Head) -> str:
    """One for each state of the inbox; what of it is shown is told apart by the address."""
    return f'"{head.epoch.hex}.{head.offset}"'


async def plain_counts(scope: Mapping[str, Any]) -> PlainAnswer | None:
    """The answer, or None where the view is to give it."""
    token = _plain_token(scope)
    if token is None:
        return None
    head = await kept_head(token.recipient_pk)
    if head is None or not head.admits(token.issued_at):
        return None
    try:
        check_rate(token.recipient_pk)
    except HttpProblem:
        return None
    return PlainAnswer([JSON, (b"etag", tag_of(head).encode()), *_HEADERS], _encode(counts_of(head)))


def _plain_token(scope: Mapping[str, Any]) -> RecipientToken | None:
    """The token of a request that asks for nothing else."""
    if scope["method"] != "GET" or scope["query_string"]:
        return None
    text = b""
    for name, value in scope["headers"]:
        if name == b"authorization" and not text:
            text = value
        elif name in _NOT_PLAIN or name == b"authorization" or (name == b"accept" and value != b"*/*"):
            return None
    if text[:7].lower() != b"bearer ":
        return None
    try:
        return read_known_token(text[7:].strip().decode("latin-1"))
    except BadToken:
        return None

"""The heads of inboxes that are asked for again and again, kept in Redis: a badge that polls costs no query.

absent ──lease──> leased ──install──> kept ──(5 s)──> absent          any ──access changed──> absent
                  leased ──a change──> absent         kept ──a change──> kept (higher offset)

Every change takes the inbox's next offset in the transaction that makes it, so two heads of one epoch are compared by
their offsets and a kept one is replaced by a higher one only; whatever comes late or twice changes nothing. Whoever finds
no entry leases its place, then reads PostgreSQL, then installs what it read if the place is still its own: a change or a
revocation that is published in between takes the place away, so what is read before a commit is never installed after
it was published.

How old an answer can be: as long as publishing works, as old as the way from the commit to Redis (milliseconds). Where
it does not (the process died between the two, Redis refused, the push was dropped), `ENTRY_SECONDS`: an entry's time runs
from the moment it was read from PostgreSQL, and replacing it does not prolong it. A Redis that was emptied
has no entry; one that comes back with what it had has entries whose time went on; one that does not answer is passed by.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from notifications.events import Hint, LiveEvent, is_change
from notifications.inbox.layer import LiveLayer, live_layer
from notifications.inbox.reads import Head
from notifications.inbox.shard import REDIS_FAILED

ENTRY_SECONDS: Final = 5

_LEASE_SECONDS: Final = 3
_PATIENCE_SECONDS: Final = 0.25
_REST_SECONDS: Final = 1.0
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LEASED: Final = b"?"
_PARTS: Final = 5
_MANY: Final = 8
_INSTALL: Final = """
    if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end"""
# For each key: epoch, offset, counts. What is of another epoch, or only leased, is read again.
_ADVANCE: Final = """
    for i, known in ipairs(redis.call('MGET', unpack(KEYS))) do
        if known then
            local epoch, offset, valid = string.match(known, '^(%x+) (%d+) %d+ %d+ (%d+)$')
            local mine, reached, counts = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
            if epoch ~= mine then
                redis.call('DEL', KEYS[i])
            elseif tonumber(offset) < tonumber(reached) then
                local head = table.concat({epoch, reached, counts, valid}, ' ')
                redis.call('SET', KEYS[i], head, 'KEEPTTL')
            end
        end
    end"""

Read = Callable[[UUID], Awaitable[Head | None]]


class _Outage:
    """While Redis does not answer, only one request a second tries."""

    ends_at = 0.0


async def cached_head(recipient_pk: UUID, read: Read) -> Head | None:
    """The head from Redis, or what `read` gives; None for an unknown recipient. Raises what `read` raises."""
    if time.monotonic() < _Outage.ends_at:
        return await read(recipient_pk)
    layer, key = live_layer(), key_of(recipient_pk.hex)
    lease: bytes | None = None
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            value = await layer.quick_get(key)
            if value is not None and (kept := _decode(value)) is not None:
                return kept
            if value is None:
                wanted = _LEASED + secrets.token_hex(8).encode()
                if await layer.client_for(key).set(key, wanted, nx=True, ex=_LEASE_SECONDS):
                    lease = wanted
    except REDIS_FAILED:
        _Outage.ends_at = time.monotonic() + _REST_SECONDS
    head = await read(recipient_pk)
    if lease is not None and head is not None:
        await _install(layer, key, lease, head)
    return head


async def kept_head(recipient_pk: UUID) -> Head | None:
    """The head if Redis has it, without asking anybody else."""
    if time.monotonic() < _Outage.ends_at:
        return None
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            value = await live_layer().quick_get(key_of(recipient_pk.hex))
    except REDIS_FAILED:
        _Outage.ends_at = time.monotonic() + _REST_SECONDS
        return None
    return None if value is None else _decode(value)


async def advance(hints: Iterable[Hint]) -> None:
    """Bring what is kept up to these committed changes. Raises `REDIS_FAILED`."""
    changed: dict[str, LiveEvent] = {}
    closed: list[str] = []
    for hint in hints:
        key = key_of(hint["recipient"])
        if not is_change(hint):
            closed.append(key)
        elif key not in changed or hint["offset"] > changed[key]["offset"]:
            changed[key] = hint
    layer = live_layer()
    for client, keys in layer.by_client(closed).items():
        await client.delete(*keys)
    for client, keys in layer.by_client(changed).items():
        if len(keys) >= _MANY:
            # Of a broadcast's recipients next to none are asked for just now. Who has no place by now will lease it and
            # read what was committed before this.
            keys = [key for key, known in zip(keys, await client.mget(keys), strict=True) if known is not None]
        if not keys:
            continue
        heads = [part for key in keys for part in _moved(changed[key])]
        await client.register_script(_ADVANCE)(keys=keys, args=heads)


async def _install(layer: LiveLayer, key: str, lease: bytes, head: Head) -> None:
    script = layer.client_for(key).register_script(_INSTALL)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await script(keys=[key], args=[lease, _encode(head), ENTRY_SECONDS])
    except REDIS_FAILED:
        _Outage.ends_at = time.monotonic() + _REST_SECONDS


def key_of(recipient: str) -> str:
    """The key in Redis under which the head of a recipient (hex of the UUID) is kept."""
    return f"carillon:head:{recipient}"


def _moved(event: LiveEvent) -> tuple[str, int, str]:
    counts = event["counts"]
    return event["epoch"].replace("-", ""), event["offset"], f"{counts['unread']} {counts['unseen']}"


def _encode(head: Head) -> str:
    valid_from = head.tokens_valid_from
    valid = 0 if valid_from is None else (valid_from - _START) // _MICROSECOND
    return f"{head.epoch.hex} {head.offset} {head.unread} {head.unseen} {valid}"


def _decode(value: bytes) -> Head | None:
    """The head of an entry; None for a place that is leased, or kept by a release that wrote it otherwise."""
    parts = value.decode().split(" ")
    if len(parts) != _PARTS:
        return None
    epoch, offset, unread, unseen, valid = parts
    valid_from = None if valid == "0" else _START + int(valid) * _MICROSECOND
    return Head(UUID(hex=epoch), int(offset), int(unread), int(unseen), valid_from)

"""Who is connected, on how many devices and since when: facts in Redis, by recipient and process, true while the process lives.

Each process that serves sockets has one lease, which it renews all the time, and a field in the hash of every recipient who is
connected to it: how many devices, since when. So nothing is written while people just stay. When a process is killed, all that
it said ends with its lease, and nobody has to clean up. The field is no counter, so nothing drifts. Redis that was emptied has
everything back as soon as the process finds its lease gone.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from notifications.inbox.layer import live_layer
from notifications.inbox.shard import REDIS_FAILED

_PATIENCE_SECONDS: Final = 1.0
_LEASE: Final = "carillon:presence-lease:"
# What processes left behind that were killed goes when somebody else writes; a hash nobody writes expires as a whole.
_TELL: Final = """
    for i, key in ipairs(KEYS) do
        local devices, since = ARGV[2 * i + 2], ARGV[2 * i + 3]
        if devices == '0' then
            redis.call('HDEL', key, ARGV[2])
        else
            redis.call('HSET', key, ARGV[2], devices .. ' ' .. since)
            redis.call('PEXPIRE', key, ARGV[3])
        end
        if redis.call('HLEN', key) > 1 then
            for _, process in ipairs(redis.call('HKEYS', key)) do
                if process ~= ARGV[2] and redis.call('EXISTS', ARGV[1] .. process) == 0 then
                    redis.call('HDEL', key, process)
                end
            end
        end
    end"""
_READ: Final = """
    local told, alive = {}, {}
    for i, key in ipairs(KEYS) do
        local fields = redis.call('HGETALL', key)
        told[i] = {}
        for n = 1, #fields, 2 do
            local process = fields[n]
            if alive[process] == nil then
                alive[process] = redis.call('EXISTS', ARGV[1] .. process) == 1
            end
            if alive[process] then
                table.insert(told[i], fields[n + 1])
            end
        end
    end
    return told"""


class Present(NamedTuple):
    """What one process says of one recipient; `since` is Unix time in seconds."""

    recipient_pk: UUID
    devices: int
    since: float


@dataclass(frozen=True, slots=True)
class Presence:
    """What all processes together say of one recipient."""

    devices: int = 0
    connected_since: datetime | None = None

    @property
    def online(self) -> bool:
        return self.devices > 0


async def renew_lease(process: str, seconds: float, *, number: int) -> bool:
    """What `process` says is true for so long from now; `number` counts its renewals. False when the one before is not what Redis had:
    then it may have forgotten what it was told, or know it as it once was. Raises `REDIS_FAILED`."""
    key = _LEASE + process
    async with asyncio.timeout(_PATIENCE_SECONDS):
        had = [await client.set(key, number, px=int(seconds * 1000), get=True) for client in live_layer().clients()]
    return all(each == str(number - 1).encode() for each in had)


async def tell_presence(present: Iterable[Present], *, process: str, keep_seconds: float) -> None:
    """Say for `process`, which has a lease, who is connected to it, or is not any more (no devices); to be said again within
    `keep_seconds`. Raises `REDIS_FAILED`."""
    layer, by_key = live_layer(), {_key(each.recipient_pk): each for each in present}
    async with asyncio.timeout(_PATIENCE_SECONDS):
        for client, keys in layer.by_client(by_key).items():
            facts = [part for key in keys for part in (by_key[key].devices, int(by_key[key].since * 1000))]
            script = client.register_script(_TELL)
            await script(keys=keys, args=[_LEASE, process, int(keep_seconds * 1000), *facts])


async def read_presence(recipient_pks: Sequence[UUID]) -> dict[UUID, Presence] | None:
    """How present each of these recipients is; None when nobody can know now, because Redis does not answer."""
    layer, by_key = live_layer(), {_key(pk): pk for pk in recipient_pks}
    found: dict[UUID, Presence] = {}
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for client, keys in layer.by_client(by_key).items():
                told: list[Any] = await client.register_script(_READ)(keys=keys, args=[_LEASE])
                found |= {by_key[key]: presence_of(values) for key, values in zip(keys, told, strict=True)}
    except REDIS_FAILED:
        return None
    return found


async def forget_presence(recipient_pk: UUID) -> None:
    """Remove what is kept of an erased recipient; its leases would end it as well. Raises nothing when Redis is away."""
    key = _key(recipient_pk)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await live_layer().client_for(key).delete(key)
    except REDIS_FAILED:
        pass


def presence_of(told: Iterable[bytes]) -> Presence:
    """What several processes say, each `devices since` in ms, comes to."""
    held = [[int(part) for part in each.split()] for each in told]
    if not held:
        return Presence()
    first = min(since for _, since in held)
    return Presence(sum(devices for devices, _ in held), datetime.fromtimestamp(first / 1000, UTC))


def _key(recipient_pk: UUID) -> str:
    return f"carillon:presence:{recipient_pk.hex}"

"""Who is connected, on how many devices and since when: leases in Redis, by recipient and process.

Each process that serves sockets keeps a field of the recipient's hash: until when it is true (by Redis' own clock), how
many devices, since when. It is written anew long before that time; when the process is killed, nobody has to
clean up. The field is no counter, so nothing drifts. Redis that was emptied has it back with the next refresh.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from redis.asyncio import Redis

from notifications.inbox.layer import live_layer
from notifications.inbox.shard import REDIS_FAILED

_PATIENCE_SECONDS: Final = 1.0
# What processes left behind that were killed goes when somebody else writes; a hash nobody writes expires as a whole.
_TELL: Final = """
    local time = redis.call('TIME')
    local now, lease = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[2])
    local till = string.format('%.0f', now + lease)
    for i, key in ipairs(KEYS) do
        local devices, since = ARGV[2 * i + 1], ARGV[2 * i + 2]
        if devices == '0' then
            redis.call('HDEL', key, ARGV[1])
        else
            redis.call('HSET', key, ARGV[1], till .. ' ' .. devices .. ' ' .. since)
            redis.call('PEXPIRE', key, lease)
        end
        if redis.call('HLEN', key) > 1 then
            local fields = redis.call('HGETALL', key)
            for n = 1, #fields, 2 do
                if tonumber(string.match(fields[n + 1], '^%d+')) < now then redis.call('HDEL', key, fields[n]) end
            end
        end
    end"""


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


async def tell_presence(present: Iterable[Present], *, process: str, lease_seconds: float) -> None:
    """Say for `process` who is connected to it, or is not any more (no devices). Raises `REDIS_FAILED`."""
    layer, by_key = live_layer(), {_key(each.recipient_pk): each for each in present}
    async with asyncio.timeout(_PATIENCE_SECONDS):
        for client, keys in layer.by_client(by_key).items():
            facts = [part for key in keys for part in (by_key[key].devices, int(by_key[key].since * 1000))]
            script = client.register_script(_TELL)
            await script(keys=keys, args=[process, int(lease_seconds * 1000), *facts])


async def read_presence(recipient_pks: Sequence[UUID]) -> dict[UUID, Presence] | None:
    """How present each of these recipients is; None when nobody can know now, because Redis does not answer."""
    layer, by_key = live_layer(), {_key(pk): pk for pk in recipient_pks}
    found: dict[UUID, Presence] = {}
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for client, keys in layer.by_client(by_key).items():
                now, told = await _read(client, keys)
                found |= {by_key[key]: presence_of(values, now) for key, values in zip(keys, told, strict=True)}
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


def presence_of(told: Iterable[bytes], now: float) -> Presence:
    """What the leases of several processes, each `till devices since` in ms, come to at `now`."""
    leases = [[int(part) for part in each.split()] for each in told]
    held = [(devices, since) for till, devices, since in leases if till >= now]
    if not held:
        return Presence()
    first = min(since for _, since in held)
    return Presence(sum(devices for devices, _ in held), datetime.fromtimestamp(first / 1000, UTC))


async def _read(client: Redis, keys: Sequence[str]) -> tuple[float, list[list[bytes]]]:
    """Redis' time in ms and, for each key, what the processes say."""
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.time()
        for key in keys:
            pipeline.hvals(key)
        answers: list[Any] = await pipeline.execute()
    seconds, microseconds = answers[0]
    return seconds * 1000 + microseconds / 1000, answers[1:]


def _key(recipient_pk: UUID) -> str:
    return f"carillon:presence:{recipient_pk.hex}"

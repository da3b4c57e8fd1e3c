"""Who is connected: as leases that a killed process leaves behind for a while, and what PostgreSQL remembers."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from consumers.conf import ConsumersConf
from consumers.hub import drain
from notifications.database import connect
from notifications.inbox import attendance
from notifications.inbox.layer import live_layer
from notifications.inbox.presence import (
    Presence,
    Present,
    forget_presence,
    presence_of,
    read_presence,
    renew_lease,
    tell_presence,
)
from tests.consumers.conftest import MakeClient
from tests.consumers.inbox import PATIENCE_SECONDS, Owner
from tests.fixtures.servers import RunningServer


@pytest.fixture(autouse=True)
def often(quick: None, settings: Any) -> None:
    settings.CARILLON_CONSUMERS = ConsumersConf(tick_seconds=0.05, presence_refresh_seconds=0.2, last_seen_seconds=0.5)


async def presence(owner: Owner) -> Presence:
    known = await read_presence([owner.pk])
    assert known is not None
    return known[owner.pk]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110 (what is waited for is in Redis or PostgreSQL)
            await asyncio.sleep(0.05)


async def until_devices(owner: Owner, count: int) -> Presence:
    async def reached() -> bool:
        return (await presence(owner)).devices == count

    await until(reached)
    return await presence(owner)


async def last_seen(owner: Owner) -> datetime | None:
    async with await connect() as conn:
        cursor = await conn.execute("SELECT last_seen_at FROM notifications_inbox WHERE recipient_id = %s", [owner.pk])
        row = await cursor.fetchone()
    return None if row is None else row[0]


async def test_devices_come_and_go(owner: Owner, stranger: Owner, open_socket: MakeClient) -> None:
    begin = datetime.now(UTC) - timedelta(milliseconds=1)
    first, second = await open_socket(), await open_socket()
    await first.connect(owner.token())
    one = await until_devices(owner, 1)
    await second.connect(owner.token())
    two = await until_devices(owner, 2)
    assert one.connected_since is not None
    assert begin <= one.connected_since <= datetime.now(UTC)
    await first.socket.close()
    rest = await until_devices(owner, 1)
    assert rest.connected_since == two.connected_since == one.connected_since
    await second.socket.close()
    assert await until_devices(owner, 0) == Presence()
    assert not (await presence(owner)).online
    assert await presence(stranger) == Presence()

    async def is_recorded() -> bool:
        at = await last_seen(owner)
        return at is not None and at >= begin

    await until(is_recorded)


async def test_who_is_not_let_in_is_not_present(owner: Owner, open_socket: MakeClient) -> None:
    silent, refused = await open_socket(), await open_socket()
    await refused.send({"id": 1, "connect": {"token": owner.token(-60)}})
    assert await refused.close_code() == 4401
    other = await open_socket()
    await other.connect(owner.token())
    assert (await until_devices(owner, 1)).devices == 1
    await silent.socket.close()


async def test_who_stays_is_recorded_before_leaving(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.connect(owner.token())

    async def is_recorded() -> bool:
        return await last_seen(owner) is not None

    await until(is_recorded)
    assert (await presence(owner)).online


async def test_a_process_that_stops_says_so(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.connect(owner.token())
    await until_devices(owner, 1)
    await asyncio.gather(drain(), client.close_code())
    assert await presence(owner) == Presence()
    assert await last_seen(owner) is not None


async def test_what_a_killed_process_said_ends_with_its_lease(owner: Owner, open_socket: MakeClient) -> None:
    """A process that is killed says nothing any more; here one that never said more than once."""
    await renew_lease("killed", 1.5, number=1)
    await tell_presence([Present(owner.pk, 3, 1_000_000.0)], process="killed", keep_seconds=60)
    assert await presence(owner) == Presence(3, datetime.fromtimestamp(1_000_000, UTC))
    client = await open_socket()
    await client.connect(owner.token())
    await until_devices(owner, 4)
    # Its field goes, although the hash lives on.
    alone = await until_devices(owner, 1)
    assert alone.connected_since is not None
    assert alone.connected_since > datetime.fromtimestamp(1_000_000, UTC)

    async def is_cleared() -> bool:
        key = f"carillon:presence:{owner.pk.hex}"
        return len(await live_layer().client_for(key).hkeys(key)) == 1

    await until(is_cleared)


async def test_what_nobody_says_again_leaves_nothing(owner: Owner) -> None:
    await renew_lease("forgetful", 60, number=1)
    await tell_presence([Present(owner.pk, 1, 1.0)], process="forgetful", keep_seconds=0.5)
    assert (await presence(owner)).devices == 1
    await until_devices(owner, 0)
    key = f"carillon:presence:{owner.pk.hex}"

    async def is_gone() -> bool:
        return not await live_layer().client_for(key).exists(key)

    await until(is_gone)


async def test_a_lease_knows_whether_redis_went_back_in_time() -> None:
    """Restored from a snapshot, Redis has the lease, but of an earlier renewal: what was told since is lost."""
    process = uuid4().hex
    assert not await renew_lease(process, 60, number=1)
    assert await renew_lease(process, 60, number=2)
    assert await renew_lease(process, 60, number=3)
    await renew_lease(process, 60, number=2)
    assert not await renew_lease(process, 60, number=4)


async def test_whom_too_many_left_to_remember_is_not_present_for_long(
    valkey: RunningServer, owner: Owner, settings: Any, open_socket: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is away while everybody leaves: the process takes another name, and the old one's lease ends."""
    config = {"hosts": [valkey.url], "prefix": "carillon"}
    settings.CHANNEL_LAYERS = {"default": {**settings.CHANNEL_LAYERS["default"], "CONFIG": config}}
    monkeypatch.setattr(attendance, "_MOST_WAITING", 0)
    client = await open_socket()
    await client.connect(owner.token())
    await until_devices(owner, 1)
    [before] = await names(owner)
    assert valkey.process is not None
    valkey.process.send_signal(signal.SIGSTOP)
    await client.socket.close()
    await asyncio.sleep(1.5)
    valkey.process.send_signal(signal.SIGCONT)
    other = await open_socket()
    await other.connect(owner.token())

    async def is_named_anew() -> bool:
        return await names(owner) - {before} != set()

    await until(is_named_anew)


async def names(owner: Owner) -> set[bytes]:
    key = f"carillon:presence:{owner.pk.hex}"
    return set(await live_layer().client_for(key).hkeys(key))


async def test_processes_add_up_and_forgetting_ends_it(owner: Owner, stranger: Owner) -> None:
    for process, devices in (("a", 1), ("b", 2), ("b", 2), ("a", 1)):
        await renew_lease(process, 60, number=1)
        await tell_presence([Present(owner.pk, devices, 1.0)], process=process, keep_seconds=60)
    known = await read_presence([owner.pk, stranger.pk])
    assert known is not None
    assert (known[owner.pk].devices, known[stranger.pk].online) == (3, False)
    await tell_presence([Present(owner.pk, 0, 0.0)], process="b", keep_seconds=60)
    assert (await presence(owner)).devices == 1
    await forget_presence(owner.pk)
    assert not (await presence(owner)).online


async def test_redis_emptied_killed_and_back(
    valkey: RunningServer, owner: Owner, settings: Any, open_socket: MakeClient
) -> None:
    config = {"hosts": [valkey.url], "prefix": "carillon"}
    settings.CHANNEL_LAYERS = {"default": {**settings.CHANNEL_LAYERS["default"], "CONFIG": config}}
    client = await open_socket()
    await client.connect(owner.token())
    await until_devices(owner, 1)
    await live_layer().client_for("x").flushall()
    await until_devices(owner, 1)
    valkey.kill()
    assert await read_presence([owner.pk]) is None
    await forget_presence(owner.pk)
    second = await open_socket()
    await second.connect(owner.token())
    valkey.start()

    async def is_back() -> bool:
        known = await read_presence([owner.pk])
        return known is not None and known[owner.pk].devices == 2

    await until(is_back)


@pytest.mark.parametrize(
    ("told", "devices", "since"),
    [
        ([], 0, None),
        ([b"2 5000"], 2, 5),
        ([b"1 5000", b"3 4000"], 4, 4),
    ],
)
def test_what_processes_say_comes_to(told: list[bytes], devices: int, since: int | None) -> None:
    expected = None if since is None else datetime.fromtimestamp(since, UTC)
    assert presence_of(told) == Presence(devices, expected)


def test_a_lease_outlasts_a_refresh_that_fails() -> None:
    with pytest.raises(ValueError, match="lease_seconds"):
        _ = ConsumersConf(presence_refresh_seconds=30).presence

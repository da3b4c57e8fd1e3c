"""Redis or PostgreSQL away: slower or honest, never wrong, and quiet in the log."""

import asyncio
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from consumers.conf import ConsumersConf
from notifications.database import make_pool
from notifications.inbox import access
from notifications.inbox.publish import publish
from tests.consumers.conftest import MakeClient
from tests.consumers.inbox import Client, Owner
from tests.fixtures.servers import RunningServer


@pytest.fixture
def own_valkey(valkey: RunningServer, settings: Any) -> RunningServer:
    """The channel layer on a Valkey that the test may take away."""
    config = {"hosts": [valkey.url], "prefix": "carillon"}
    settings.CHANNEL_LAYERS = {"default": {**settings.CHANNEL_LAYERS["default"], "CONFIG": config}}
    return valkey


async def live_again(owner: Owner, client: Client) -> None:
    """Publish until an event arrives by the layer alone: the ping is far away."""
    while True:
        [event] = await owner.append()
        await publish([event])
        try:
            async with asyncio.timeout(0.5):
                await client.follow_to(event["offset"])
                return
        except TimeoutError:
            continue


async def test_redis_killed_and_back(
    own_valkey: RunningServer, owner: Owner, open_socket: MakeClient, caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    first = await open_socket()
    epoch = (await first.connect(owner.token()))["epoch"]
    await publish(await owner.append(2))
    await first.follow_to(2)
    own_valkey.kill()
    await publish(await owner.append(3))
    second = await open_socket()
    answer = await second.connect(owner.token(), {"epoch": epoch, "offset": 1})
    assert (answer["offset"], answer["recovered"]) == (5, True)
    await second.follow_to(5)
    await publish(await owner.append(2))
    own_valkey.start()
    # Nobody publishes: on the layer's return both read the log.
    await asyncio.gather(first.follow_to(7), second.follow_to(7))
    await live_again(owner, first)
    last = len(owner.written)
    await second.follow_to(last)
    assert first.offsets == list(range(1, last + 1))
    assert second.offsets == list(range(2, last + 1))
    assert not [record for record in caplog.records if record.exc_info]
    assert sum("channel_layer_lost" in record.getMessage() for record in caplog.records) <= 1


async def test_sockets_opened_without_redis_live_when_it_comes(
    own_valkey: RunningServer, owner: Owner, open_socket: MakeClient
) -> None:
    own_valkey.kill()
    client = await open_socket()
    assert (await client.connect(owner.token()))["offset"] == 0
    own_valkey.start()
    await live_again(owner, client)
    assert client.offsets == list(range(1, len(owner.written) + 1))


async def test_frozen_redis_stops_no_socket(own_valkey: RunningServer, owner: Owner, open_socket: MakeClient) -> None:
    before = await open_socket()
    await before.connect(owner.token())
    assert own_valkey.process is not None
    os.kill(own_valkey.process.pid, signal.SIGSTOP)
    try:
        await publish(await owner.append(2))
        epoch = owner.written[0]["epoch"]
        client = await open_socket()
        await client.connect(owner.token(), {"epoch": epoch, "offset": 0})
        await client.follow_to(2)
        answer = await client.ask({"id": 9, "read_all": {}})
        assert answer["ok"]["offset"] == 4
        await asyncio.gather(client.follow_to(4), before.follow_to(4))
    finally:
        os.kill(own_valkey.process.pid, signal.SIGCONT)
    assert client.offsets == before.offsets == [1, 2, 3, 4]


class Road:
    """The way to PostgreSQL's socket, which can be blocked."""

    def __init__(self, there: Path) -> None:
        self._there = there
        self._writers: set[asyncio.StreamWriter] = set()
        self.is_open = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_unix_connection(self._there)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))

    def block(self) -> None:
        self.is_open = False
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def road(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Road]:
    """PostgreSQL for the hub only, by a way of its own; `owner` keeps the direct one."""
    database = django_settings.DATABASES["default"]
    port = database.get("PORT") or "5432"
    folder = Path(tempfile.mkdtemp(prefix="road-"))  # short enough for a socket's path
    path = folder / f".s.PGSQL.{port}"
    way = Road(Path(database["HOST"]) / path.name)
    server = await asyncio.start_unix_server(way.serve, path)

    def pool_by_this_way(*, max_size: int) -> Any:
        with monkeypatch.context() as patch:
            patch.setitem(database, "HOST", str(folder))
            return make_pool(max_size=max_size)

    monkeypatch.setattr(access, "make_pool", pool_by_this_way)
    yield way
    way.block()
    server.close()
    shutil.rmtree(folder)


async def test_without_postgresql_sockets_are_told_to_come_back(
    road: Road, owner: Owner, open_socket: MakeClient
) -> None:
    road.is_open = False
    client = await open_socket()
    await client.send({"id": 1, "connect": {"token": owner.token()}})
    assert await client.close_code() == 4503


async def test_postgresql_away_while_live(
    road: Road, owner: Owner, open_socket: MakeClient, settings: Any, caplog: Any
) -> None:
    settings.CARILLON_CONSUMERS = ConsumersConf(tick_seconds=0.05, ping_seconds=0.3, catch_up_retry_seconds=0.1)
    client = await open_socket()
    await client.connect(owner.token())
    road.block()
    events = await owner.append(3)
    await publish(events[2:])
    answer = await client.ask({"id": 2, "list": {}})
    assert answer["error"]["code"] == "unavailable"
    assert client.offsets == []
    road.is_open = True
    await client.follow_to(3)
    assert client.offsets == [1, 2, 3]
    ours = [record for record in caplog.records if record.name.startswith(("consumers", "notifications"))]
    assert not [record for record in ours if record.exc_info]

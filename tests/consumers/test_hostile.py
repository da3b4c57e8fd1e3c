"""Clients that mean harm: each is closed with its code, costs little while it lasts, and disturbs nobody else."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
import pytest

from consumers.conf import ConsumersConf
from consumers.hub import current_hub
from notifications.inbox.publish import publish
from tests.bench_sockets import wire
from tests.consumers.conftest import MakeClient
from tests.consumers.inbox import Owner

MEGABYTE: Final = 1 << 20
MANY: Final = 1500
CONT: Final = 0


class Raw:
    """A client below what libraries let through."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, url: str, *, upgrade: bool = True) -> "Raw":
        parts = urlsplit(url)
        raw = cls(*await asyncio.open_connection(parts.hostname, parts.port))
        if upgrade:
            raw.writer.write(wire.upgrade_request(parts.netloc, parts.path))
            assert wire.upgraded(await raw.reader.readuntil(b"\r\n\r\n"))
        return raw

    async def close_code(self) -> int:
        """That of the close frame; 1006 without one."""
        data = b""
        with contextlib.suppress(OSError):
            async with asyncio.timeout(20):
                while more := await self.reader.read(65536):
                    data += more
                    for opcode, start, _ in wire.split_frames(data):
                        if opcode == wire.CLOSE:
                            self.writer.transport.abort()
                            return int.from_bytes(data[start : start + 2], "big")
        self.writer.transport.abort()
        return 1006


@asynccontextmanager
async def unharmed(owner: Owner, open_socket: MakeClient) -> AsyncIterator[None]:
    """While inside, an honest client of this recipient keeps being told; all of it, and in order."""
    honest = await open_socket()
    await honest.connect(owner.token())

    async def live() -> None:
        while True:
            [event] = await owner.append()
            await publish([event])
            await honest.follow_to(event["offset"])
            await asyncio.sleep(0.02)

    living = asyncio.create_task(live())
    yield
    seen = len(honest.offsets)
    async with asyncio.timeout(20):
        while len(honest.offsets) == seen and not living.done():  # noqa: ASYNC110 (both wait for the same)
            await asyncio.sleep(0.01)
    assert not living.done(), living.exception()
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    assert honest.offsets == list(range(1, len(honest.offsets) + 1))


def resident() -> int:
    return int(psutil.Process().memory_info().rss)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (wire.client_frame(b"x" * MEGABYTE), 1009),
        (wire.client_frame(b"x" * MEGABYTE, 2), 1009),
        (wire.client_frame(b"x" * 100_000), 4413),
        (wire.client_frame(b"\xff\xfe"), 1007),
        (wire.client_frame(b"", 2), 4400),
        (b"\x83\x80\0\0\0\0", 1002),  # an opcode that there is not
        (b"\xf1\x80\0\0\0\0", 1002),  # reserved bits
        (b"\x81\x01x", 1002),  # not masked
        (bytes((0x01, 0x80)) + b"\0\0\0\0" + b"\0\x80\0\0\0\0" * 2000, 1008),  # empty fragments without end
    ],
)
async def test_broken_frames(frame: bytes, code: int, url: str, owner: Owner, open_socket: MakeClient) -> None:
    async with unharmed(owner, open_socket):
        raw = await Raw.open(url)
        raw.writer.write(frame)
        assert await raw.close_code() == code


async def test_a_megabyte_in_pieces_is_not_kept(url: str, owner: Owner, open_socket: MakeClient) -> None:
    async with unharmed(owner, open_socket):
        raw = await Raw.open(url)
        piece = wire.client_frame(b"x" * 50_000, CONT)
        raw.writer.write(bytes((0x01, 0x80)) + b"\0\0\0\0" + bytes((piece[0] & 0x7F,)) + piece[1:])
        for _ in range(20):
            raw.writer.write(bytes((piece[0] & 0x7F,)) + piece[1:])
        assert await raw.close_code() == 1009


async def test_floods_of_commands(url: str, owner: Owner, open_socket: MakeClient) -> None:
    async with unharmed(owner, open_socket):
        before = resident()
        raws = [await Raw.open(url) for _ in range(10)]
        flood = wire.client_frame(b'{"id":1,"list":{}}') * 20_000
        for raw in raws:
            raw.writer.write(flood)
        assert [await raw.close_code() for raw in raws] == [4429] * 10
        assert resident() - before < 64 * MEGABYTE


async def test_pings_without_end_by_one_who_never_reads(
    url: str, owner: Owner, open_socket: MakeClient, settings: Any
) -> None:
    settings.CARILLON_CONSUMERS = ConsumersConf(tick_seconds=0.05, connect_timeout_seconds=2, send_timeout_seconds=1)
    async with unharmed(owner, open_socket):
        before = resident()
        parts = urlsplit(url)
        deaf = socket.create_connection((parts.hostname, parts.port))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(wire.upgrade_request(parts.netloc, parts.path))
        deaf.setblocking(False)
        pings, sent = wire.client_frame(b"p" * 120, wire.PING) * 1000, 0
        with contextlib.suppress(ConnectionError):
            for _ in range(400):
                with contextlib.suppress(BlockingIOError):
                    sent += deaf.send(pings)
                await asyncio.sleep(0.005)
        assert resident() - before < 32 * MEGABYTE
        async with asyncio.timeout(20):
            while current_hub().stats.sockets > 1:  # noqa: ASYNC110 (nothing to wait for but the server's side)
                await asyncio.sleep(0.05)
        deaf.close()


async def test_thousands_that_say_nothing(url: str, owner: Owner, open_socket: MakeClient, settings: Any) -> None:
    settings.CARILLON_CONSUMERS = ConsumersConf(tick_seconds=0.05, connect_timeout_seconds=6)
    async with unharmed(owner, open_socket):
        before = resident()
        raws = [await Raw.open(url) for _ in range(MANY)]
        assert current_hub().stats.sockets > 1
        # Both sides of each are in this process.
        assert resident() - before < MANY * 80_000
        codes = Counter(await asyncio.gather(*(raw.close_code() for raw in raws)))
        assert codes == {4408: MANY}
        async with asyncio.timeout(20):
            while current_hub().stats.sockets > 1:  # noqa: ASYNC110 (nothing to wait for but the server's side)
                await asyncio.sleep(0.05)


async def test_who_connects_again_and_again(
    url: str, owner: Owner, stranger: Owner, open_socket: MakeClient, settings: Any
) -> None:
    settings.CARILLON_CONSUMERS = ConsumersConf(
        tick_seconds=0.05, max_connects_at_once=5, max_connects_per_second=0.001
    )
    for _ in range(5):
        client = await open_socket()
        await client.connect(owner.token())
        await client.socket.close()
    sixth = await open_socket()
    await sixth.send({"id": 1, "connect": {"token": owner.token()}})
    assert await sixth.close_code() == 4409
    assert (await (await open_socket()).connect(stranger.token()))["offset"] == 0


@pytest.mark.parametrize("sends", [b"", b"GET /ws/inbox HT", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Y: z\r\n" * 20_000])
async def test_requests_that_never_end(
    sends: bytes, url: str, owner: Owner, open_socket: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.http_protocol.HEAD_SECONDS", 0.5)
    async with unharmed(owner, open_socket):
        raws = [await Raw.open(url, upgrade=False) for _ in range(50)]
        for raw in raws:
            raw.writer.write(sends)
        assert [await raw.close_code() for raw in raws] == [1006] * 50

"""What the socket refuses, and with which code; others stay unharmed."""

import asyncio
import json
from typing import Any

import pytest

from consumers.conf import ConsumersConf
from consumers.hub import current_hub, drain
from notifications.inbox.publish import publish
from notifications.tokens import issue_token
from tests.consumers.conftest import MakeClient
from tests.consumers.inbox import Owner, unread_socket


async def test_no_connect_frame_in_time(open_socket: MakeClient, settings: Any) -> None:
    settings.CARILLON_CONSUMERS = ConsumersConf(tick_seconds=0.05, connect_timeout_seconds=0.2)
    client = await open_socket()
    assert await client.close_code() == 4408


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "x" * 10_000])
async def test_bad_token(token: str, open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.send({"id": 1, "connect": {"token": token}})
    assert await client.close_code() == 4401


async def test_expired_token(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.send({"id": 1, "connect": {"token": owner.token(lifetime_seconds=-60)}})
    assert await client.close_code() == 4401


async def test_token_that_expires_ends_the_socket(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.connect(owner.token(lifetime_seconds=-4))  # within the leeway of five seconds, for one more
    assert await client.close_code() == 4401


async def test_erased_recipient(owner: Owner, open_socket: MakeClient) -> None:
    token, _ = issue_token(
        project_id=owner.project_id, recipient_pk=owner.project_id, external_id="nobody", lifetime_seconds=60
    )
    client = await open_socket()
    await client.send({"id": 1, "connect": {"token": token}})
    assert await client.close_code() == 4401


async def test_refused_origin(open_socket: MakeClient) -> None:
    client = await open_socket(origin="https://evil.example")
    assert await client.close_code() == 4403


async def test_origin_of_the_same_host_and_allowed_origins(
    owner: Owner, url: str, open_socket: MakeClient, settings: Any
) -> None:
    settings.ALLOWED_ORIGINS = ["https://app.example"]
    for origin in ("http://" + url.removeprefix("ws://").partition("/")[0], "https://app.example"):
        client = await open_socket(origin=origin)
        assert (await client.connect(owner.token()))["recipient"] == owner.external_id


@pytest.mark.parametrize(
    "frame", ["garbage", "[]", '"text"', "7", "", "{", b"\x00\x01", b"{}", "[" * 5000, '{"id": NaN}']
)
async def test_no_json_object(frame: str | bytes, open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.send(frame)
    assert await client.close_code() == 4400


async def test_frame_too_large(open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.send(json.dumps({"id": 1, "list": {"x": "ä" * 33_000}}, ensure_ascii=False))
    assert await client.close_code() == 4413


async def test_largest_frame_is_read(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    frame = '{"id": 1, "connect": {"token": "' + owner.token() + '"}}'
    await client.send(frame + " " * (64 * 1024 - len(frame)))
    assert (await client.receive())["connect"]["recipient"] == owner.external_id


async def test_too_many_commands(owner: Owner, open_socket: MakeClient) -> None:
    client = await open_socket()
    await client.connect(owner.token())
    for number in range(60):
        await client.send({"id": number, "nonsense": {}})
    assert await client.close_code() == 4429


async def test_too_many_sockets_of_one_recipient(owner: Owner, stranger: Owner, open_socket: MakeClient) -> None:
    clients = [await open_socket() for _ in range(10)]
    for client in clients:
        await client.connect(owner.token())
    eleventh = await open_socket()
    await eleventh.send({"id": 1, "connect": {"token": owner.token()}})
    assert await eleventh.close_code() == 4409
    assert (await (await open_socket()).connect(stranger.token()))["offset"] == 0
    await clients[0].socket.close()
    async with asyncio.timeout(20):
        while current_hub().stats.sockets > 11:  # noqa: ASYNC110 (nothing to wait for but the server's side)
            await asyncio.sleep(0.01)
    assert (await (await open_socket()).connect(owner.token()))["offset"] == 0


async def test_slow_client_is_told_to_resume_and_others_go_on(
    owner: Owner, open_socket: MakeClient, settings: Any
) -> None:
    settings.CARILLON_CONSUMERS = ConsumersConf(tick_seconds=0.05, send_timeout_seconds=600)
    slow, quick = await open_socket(), await open_socket()
    epoch = (await slow.connect(owner.token()))["epoch"]
    await quick.connect(owner.token())
    async with unread_socket(slow.socket):
        for _ in range(45):
            await publish(await owner.append(10, body="x" * 100_000))
            await quick.follow_to(len(owner.written))
    assert await slow.close_code() == 4008
    assert slow.offsets == list(range(1, len(slow.offsets) + 1))
    assert len(slow.offsets) < 450
    again = await open_socket()
    await again.connect(owner.token(), {"epoch": epoch, "offset": len(slow.offsets)})
    await again.follow_to(450)
    assert slow.offsets + again.offsets == quick.offsets == list(range(1, 451))


async def test_client_that_never_reads_is_dropped(owner: Owner, open_socket: MakeClient, settings: Any) -> None:
    settings.CARILLON_CONSUMERS = ConsumersConf(tick_seconds=0.05, send_timeout_seconds=0.3)
    client = await open_socket()
    await client.connect(owner.token())
    async with unread_socket(client.socket):
        async with asyncio.timeout(20):
            while current_hub().stats.sockets:
                await publish(await owner.append(10, body="x" * 50_000))
                await asyncio.sleep(0.01)
    assert await client.close_code() == 1006


async def test_drain_sends_all_away_and_the_next_server_goes_on(owner: Owner, open_socket: MakeClient) -> None:
    client, silent = await open_socket(), await open_socket()
    epoch = (await client.connect(owner.token()))["epoch"]
    await publish(await owner.append(2))
    await client.follow_to(2)
    await drain()
    assert await client.close_code() == 4503
    assert await silent.close_code() == 4503
    await owner.append(2)
    again = await open_socket()
    assert (await again.connect(owner.token(), {"epoch": epoch, "offset": 2}))["recovered"] is True
    await again.follow_to(4)
    assert again.offsets == [3, 4]

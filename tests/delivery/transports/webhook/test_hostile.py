"""Receivers that are rude, slow, huge or gone."""

import asyncio
import gzip
import tracemalloc

import pytest

from delivery.transports.base import TemporaryFailure
from tests.delivery.transports.servers import http_script, read_request, tcp_server
from tests.delivery.transports.webhook.receivers import OK, failure_with, hook, loopback_transport


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((), "connection_lost"),
        ((b"HTTP/1.1 2",), "connection_lost"),
        ((b"\x00\xff\xfe not http\r\n\r\n",), "bad_response"),
        ((b"HTTP/1.1 200 OK\r\n" + b"x: " + b"a" * 100_000 + b"\r\n\r\n",), "bad_response"),
        ((b"HTTP/1.1 200 OK\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(5000)) + b"\r\n",), "bad_response"),
        ((b"HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n",), "http_500"),
    ],
)
async def test_rude_receivers(answers: tuple[bytes, ...], reason: str) -> None:
    failure = await failure_with(http_script(*answers))
    assert (type(failure), failure.reason) == (TemporaryFailure, reason)


async def test_a_receiver_that_hangs_ends_in_time() -> None:
    failure = await failure_with(
        http_script(hang_after=True), timeout_seconds=0.3, connect_timeout_seconds=0.3, dns_timeout_seconds=0.3
    )
    assert (type(failure), failure.reason) == (TemporaryFailure, "timeout")


async def test_a_head_that_drips_ends_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: y\r\n" if writer.get_extra_info("dripped") else b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    failure = await failure_with(drip, timeout_seconds=0.3, connect_timeout_seconds=0.3, dns_timeout_seconds=0.3)
    assert failure.reason == "timeout"


@pytest.mark.parametrize(
    "answers",
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nonly ",),
    ],
)
@pytest.mark.parametrize("hang_after", [True, False])
async def test_an_accepted_delivery_stays_accepted_when_the_body_breaks_off(
    answers: tuple[bytes, ...], hang_after: bool
) -> None:
    async with (
        tcp_server(http_script(*answers, hang_after=hang_after)) as server,
        loopback_transport(timeout_seconds=0.4, connect_timeout_seconds=0.3, dns_timeout_seconds=0.3) as transport,
    ):
        receipt = await transport.send(transport.render(hook(f"http://127.0.0.1:{server.port}/")))
    assert receipt.response["status"] == 200


async def test_a_huge_answer_is_cut_off() -> None:
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while written < 1_000_000_000:
            writer.write(b"x" * 65536)
            await writer.drain()
            written += 65536

    tracemalloc.start()
    async with tcp_server(flood) as server, loopback_transport() as transport:
        receipt = await transport.send(transport.render(hook(f"http://127.0.0.1:{server.port}/")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert receipt.response["body"] == "x" * 4096
    assert written < 50_000_000
    assert peak < 50_000_000


async def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\x00" * 20_000_000)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    async with tcp_server(http_script(head, bomb)) as server, loopback_transport() as transport:
        receipt = await transport.send(transport.render(hook(f"http://127.0.0.1:{server.port}/")))
    assert len(receipt.response["body"].encode()) <= 4096


async def test_a_receiver_that_answers_without_reading_is_heard() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 too much\r\ncontent-length: 0\r\n\r\n")
        await asyncio.Event().wait()

    async with (
        tcp_server(deaf, receive_buffer_bytes=4096) as server,
        loopback_transport(timeout_seconds=5) as transport,
    ):
        outbound = hook(f"http://127.0.0.1:{server.port}/", data={"big": "x" * 900_000})
        with pytest.raises(TemporaryFailure) as caught:
            await transport.send(transport.render(outbound))
    assert caught.value.reason == "http_413"


async def test_a_flood_of_early_answers_ends_in_time() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)
            await writer.drain()

    failure = await failure_with(flood, timeout_seconds=0.5, connect_timeout_seconds=0.3, dns_timeout_seconds=0.3)
    assert isinstance(failure, TemporaryFailure)


async def test_a_kept_connection_the_receiver_had_closed_is_replaced_within_the_attempt() -> None:
    served = 0

    async def one_answer_then_close_on_the_next_request(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal served
        await read_request(reader)
        writer.write(OK)
        served += 1
        # It reads the next request's first byte and is gone: the race every idle connection runs.
        await reader.readexactly(1)

    async with tcp_server(one_answer_then_close_on_the_next_request) as server, loopback_transport() as transport:
        payload = transport.render(hook(f"http://127.0.0.1:{server.port}/"))
        for _ in range(3):
            await transport.send(payload)
    assert (served, server.connections) == (3, 3)


async def test_a_new_connection_that_breaks_is_not_tried_twice() -> None:
    async with tcp_server(http_script()) as server, loopback_transport() as transport:
        with pytest.raises(TemporaryFailure):
            await transport.send(transport.render(hook(f"http://127.0.0.1:{server.port}/")))
        assert server.connections == 1

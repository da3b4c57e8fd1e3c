"""The lean socket protocol fits the uvicorn it is built on, and is what the server runs."""

import asyncio
from typing import Any

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from deploy.http_protocol import plain_handshake
from deploy.socket_protocol import Latch, LeanSocketProtocol, Mailbox
from deploy.web import server_config


async def test_all_attributes_lie_in_slots() -> None:
    config = server_config()
    config.app = Any
    config.load()
    assert config.ws_protocol_class is LeanSocketProtocol
    protocol = LeanSocketProtocol(config=config, server_state=ServerState(), app_state={})
    assert vars(protocol) == {}


async def test_mailbox_keeps_order_and_wakes_its_reader() -> None:
    box = Mailbox(asyncio.get_running_loop())
    reading = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    for number in range(3):
        box.put_nowait({"n": number})
    assert [(await reading)["n"], (await box.get())["n"], box.empty(), (await box.get())["n"], box.empty()] == [
        0, 1, False, 2, True,
    ]  # fmt: skip
    cancelled = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    box.put_nowait({"n": 3})
    assert (await box.get())["n"] == 3


async def test_latch_lets_all_waiters_through() -> None:
    latch = Latch(asyncio.get_running_loop())
    assert await latch.wait()
    latch.clear()
    waiting = [asyncio.create_task(latch.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    assert not any(each.done() for each in waiting[1:])
    latch.set()
    assert await asyncio.gather(*waiting[1:]) == [True, True]


def _handshake(**changes: bytes | None) -> list[tuple[bytes, bytes]]:
    said = {
        b"host": b"example.com",
        b"upgrade": b"websocket",
        b"connection": b"Upgrade",
        b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ==",
        b"sec-websocket-version": b"13",
    }
    changed = {name.replace("_", "-").encode(): value for name, value in changes.items()}
    return [(name, value) for name, value in {**said, **changed}.items() if value is not None]


def test_an_ordinary_handshake_is_answered_as_the_standard_says() -> None:
    """RFC 6455, section 1.3."""
    assert plain_handshake(_handshake()) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    "changes",
    [
        {"sec_websocket_key": None},
        {"sec_websocket_key": b"dGhlIHNhbXBsZSBub25j"},
        {"sec_websocket_key": b"dGhlIHNhbXBsZSBub25jZQ==\xff"},
        {"sec_websocket_version": b"8"},
        {"sec_websocket_version": None},
        {"connection": b"keep-alive, Upgrade"},
        {"connection": None},
        {"upgrade": b"h2c"},
        {"sec_websocket_protocol": b"chat"},
    ],
)
def test_any_other_is_left_to_the_library(changes: dict[str, bytes | None]) -> None:
    assert plain_handshake(_handshake(**changes)) is None


def test_a_header_that_comes_twice_is_left_to_the_library() -> None:
    assert plain_handshake([*_handshake(), (b"sec-websocket-version", b"13")]) is None


async def test_has_all_that_the_stock_class_has() -> None:
    config = server_config()
    config.app = Any
    config.load()
    stock = WebSocketsSansIOProtocol(config=config, server_state=ServerState(), app_state={})
    lean = LeanSocketProtocol(config=config, server_state=ServerState(), app_state={})
    assert {name for name in vars(stock) if not hasattr(lean, name)} == set()

"""The lean socket protocol fits the uvicorn it is built on, and is what the server runs."""

import asyncio
from typing import Any

from uvicorn.server import ServerState

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

"""What publishes to the two servers on Channels, as a worker of theirs would: a process that obeys its stdin."""

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

import uvloop

_AHEAD: Final = 20


class Publishing(Protocol):
    """One way to publish. What must be true before (rows that are committed) is `prepare`d, outside of what is timed: a list, in the
    order of its arguments, of what can be published together or one by one."""

    async def prepare(self, marks: Sequence[int], clients: Sequence[int]) -> list[Any]: ...

    async def publish(self, prepared: list[Any]) -> None: ...


async def broadcast(way: Publishing, *, mark: int, count: int) -> dict[str, float]:
    """One message for all; when it began to be published, and how long publishing took."""
    prepared = await way.prepare([mark] * count, range(count))
    began = time.monotonic()
    await way.publish(prepared)
    return {"began": began, "took": time.monotonic() - began}


async def unicast(way: Publishing, *, first: int, count: int, clients: int, rate: float) -> dict[str, Any]:
    """`count` messages at an even pace, each to another client; when each was handed over. They are prepared some at a time, so that
    the machine is not busy with that while others are on their way."""
    sent: dict[int, float] = {}
    prepared: deque[Any] = deque()
    start = time.monotonic()
    for number, mark in enumerate(range(first, first + count)):
        await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
        if not prepared:
            marks = range(mark, min(mark + _AHEAD, first + count))
            prepared += await way.prepare(marks, [each * 7919 % clients for each in marks])
        sent[mark] = time.monotonic()
        await way.publish([prepared.popleft()])
    return {"sent": sent}


def obey(way: Publishing, *extra: Callable[..., Awaitable[Any]]) -> None:
    """Do as told until stdin ends; `extra` are orders of this way alone."""
    orders: dict[str, Callable[..., Awaitable[Any]]] = {each.__name__: each for each in extra}

    async def work() -> None:
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            name = order.pop("do")
            if name in orders:
                answer = await orders[name](**order)
            else:
                answer = await {"broadcast": broadcast, "unicast": unicast}[name](way, **order)
            print(json.dumps(answer or {}), flush=True)

    uvloop.run(work())

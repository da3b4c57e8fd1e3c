"""Inbox sockets held open as the contract describes it: they resume by epoch and offset, and note every change they are told."""

import asyncio
import json
import random
import time
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

PAUSE_SECONDS: Final = 0.2
FATAL: Final = frozenset({4400, 4401, 4403, 4409, 4413, 4429})


class Listener:
    """One client of one recipient. `faults` are breaches of the contract: a gap, a double, a resume that was refused."""

    def __init__(self, recipient: str, *, url: str, token: str, rng: random.Random) -> None:
        self.recipient = recipient
        self.created: list[str] = []
        self.gaps: list[str] = []
        self.doubles: list[str] = []
        self.refused: list[str] = []
        self.offset = 0
        self.connects = 0
        self.dropped = 0
        self.connected = asyncio.Event()
        self._url = url.replace("http://", "ws://") + "/ws/inbox"
        self._token = token
        self._rng = rng
        self._epoch: str | None = None

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                async with connect(self._url, compression=None, open_timeout=5, close_timeout=1, proxy=None) as socket:
                    await self._listen(socket)
            except ConnectionClosed as error:
                if error.rcvd is not None and error.rcvd.code in FATAL:
                    self.refused.append(f"closed with {error.rcvd.code}")
            except (WebSocketException, OSError, EOFError):
                pass
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self, socket: ClientConnection) -> None:
        await self._shake_hands(socket)
        until = time.monotonic() + self._rng.expovariate(1 / 15)
        while True:
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    frame = await socket.recv()
            except TimeoutError:
                self.dropped += 1
                socket.transport.abort()
                return
            await self._take(socket, json.loads(frame))

    async def _shake_hands(self, socket: ClientConnection) -> None:
        arguments: dict[str, Any] = {"token": self._token}
        if self._epoch is not None:
            arguments["since"] = {"epoch": self._epoch, "offset": self.offset}
        await socket.send(json.dumps({"id": 1, "connect": arguments}))
        async with asyncio.timeout(10):
            answer = json.loads(await socket.recv())["connect"]
        self.connects += 1
        self.connected.set()
        if self._epoch is None:
            self._epoch, self.offset = answer["epoch"], answer["offset"]
        elif not answer["recovered"]:
            self.refused.append(f"not recovered from {self.offset}")
            self._epoch, self.offset = answer["epoch"], answer["offset"]

    async def _take(self, socket: ClientConnection, frame: dict[str, Any]) -> None:
        if "event" not in frame:
            # A command may be refused while PostgreSQL is away; no change is lost by that.
            if "error" in frame and frame["error"]["code"] != "unavailable":
                self.refused.append(f"command answered with {frame['error']['code']}")
            return
        offset = frame["offset"]
        if frame["event"] == "position":
            if offset != self.offset:
                self.gaps.append(f"position {offset} after {self.offset}")
            return
        if offset <= self.offset:
            self.doubles.append(f"{offset} after {self.offset}")
        elif offset > self.offset + 1:
            self.gaps.append(f"{offset} after {self.offset}")
        self.offset = offset
        if frame["event"] == "message.created":
            self.created.append(frame["message"]["id"])
            if self._rng.random() < 0.05:
                # Whether this is heard or not, what comes of it is a change like any other.
                await socket.send(json.dumps({"id": 2, "read": {"ids": [frame["message"]["id"]]}}))

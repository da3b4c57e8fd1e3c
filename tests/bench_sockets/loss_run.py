"""One run of the loss test: the stage, the load, the faults, and the comparison at the end."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from rich.progress import Progress

from deploy.launcher.postgres import EmbeddedPostgres
from deploy.launcher.valkey import EmbeddedValkey
from tests.bench_sockets.black_hole import Road
from tests.chaos.database import Database, View
from tests.chaos.listeners import Listener
from tests.chaos.report import Report
from tests.fixtures.platform import Platform, remove_data
from tests.fixtures.servers import RunningServer

AT_ONCE: Final = 10
PER_SECOND: Final = 12.0
SETTLED_SECONDS: Final = 120.0
ARRIVED_SECONDS: Final = 60.0
REPLACED_SECONDS: Final = 40.0
REDIS_AWAY_SECONDS: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What is done to whom."""

    clients: int
    server_restarts: int
    redis_restarts: int
    black_hole_seconds: float
    seconds_per_fault: float
    rng: random.Random


class LossRun:
    """Everything that takes part, once."""

    def __init__(self, trouble: Trouble, folder: Path, progress: Progress) -> None:
        self._trouble = trouble
        self._folder = folder
        self._progress = progress
        self._names = [f"client-{number:04}" for number in range(trouble.clients)]
        self._accepted = 0
        self._retried = 0
        self._kills = 0
        self._done: list[str] = []

    async def go(self) -> Report:
        async with self._stage():
            await self._connect()
            load = asyncio.create_task(self._load())
            await self._harm()
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
            database = Database(EmbeddedPostgres(self._platform.data_dir).url)
            settled = await self._settle(database)
            view = await asyncio.to_thread(database.view, {})
            return self._judge(view, settled)

    @contextlib.asynccontextmanager
    async def _stage(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            redis_folder = self._folder / "redis"
            redis_folder.mkdir()
            stack.callback(remove_data, redis_folder)
            server = EmbeddedValkey(redis_folder)
            self._redis = await asyncio.to_thread(RunningServer, server, self._folder / "redis.log")
            stack.push_async_callback(asyncio.to_thread, self._redis.stop)
            self._road = Road(server.socket)
            await self._road.open()
            stack.push_async_callback(self._road.aclose)
            env = {"REDIS_URL": f"redis://127.0.0.1:{self._road.port}", "WEB_PROCESSES": "2", "CARILLON_LOG": "WARNING"}
            data = self._folder / "platform"
            stack.callback(remove_data, data)
            self._platform = await asyncio.to_thread(Platform, data, env)
            stack.push_async_callback(asyncio.to_thread, self._platform.stop)
            self._ears: list[Listener] = []
            self._listening: list[asyncio.Task[None]] = []
            stack.push_async_callback(self._end_listening)
            yield

    async def _connect(self) -> None:
        """Recipients with a token each, and a socket each; what comes before its first connect is no socket's business."""
        headers = {"Authorization": f"Bearer {self._platform.api_key}"}
        turns = asyncio.Semaphore(16)
        async with aiohttp.ClientSession(self._platform.url, headers=headers) as session:

            async def token(name: str) -> str:
                async with turns:
                    (await session.put(f"/v1/recipients/{name}", json={})).raise_for_status()
                    answer = await session.post(f"/v1/recipients/{name}/tokens", json={})
                    answer.raise_for_status()
                    given: str = (await answer.json())["token"]
                    return given

            tokens = await asyncio.gather(*map(token, self._names))
        for name, each in zip(self._names, tokens, strict=True):
            ear = Listener(name, url=self._platform.url, token=each, rng=self._trouble.rng)
            self._ears.append(ear)
            self._listening.append(asyncio.create_task(ear.run()))
        async with asyncio.timeout(60):
            await asyncio.gather(*(ear.connected.wait() for ear in self._ears))

    async def _end_listening(self) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)

    async def _load(self) -> None:
        """Messages to a few at a time, each insisted on with its Idempotency-Key until it is accepted."""
        rng = random.Random(self._trouble.rng.random())
        headers = {"Authorization": f"Bearer {self._platform.api_key}"}
        async with (
            aiohttp.ClientSession(
                self._platform.url, headers=headers, timeout=aiohttp.ClientTimeout(total=10)
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            number = 0
            while True:
                names = rng.sample(self._names, min(AT_ONCE, len(self._names)))
                group.create_task(self._insist(session, number, names))
                number += 1
                await asyncio.sleep(1 / PER_SECOND)

    async def _insist(self, session: aiohttp.ClientSession, number: int, names: list[str]) -> None:
        body = {
            "recipients": names,
            "channels": ["in_app"],
            "content": {"title": f"Message {number}", "body": "Nothing is missing."},
            "data": {"n": number},
        }
        while True:
            with contextlib.suppress(TimeoutError, aiohttp.ClientError):
                async with session.post(
                    "/v1/notifications", json=body, headers={"Idempotency-Key": f"loss-{number}"}
                ) as answer:
                    if answer.status == 202:
                        self._accepted += 1
                        return
            self._retried += 1
            await asyncio.sleep(0.1)

    async def _harm(self) -> None:
        """All faults in an order of their own, evenly over the time."""
        trouble = self._trouble
        faults: list[Callable[[], Awaitable[str]]] = [
            *[self._restart_servers] * trouble.server_restarts,
            *[self._restart_redis] * trouble.redis_restarts,
            *([self._black_hole] if trouble.black_hole_seconds else []),
        ]
        trouble.rng.shuffle(faults)
        bar = self._progress.add_task("faults", total=len(faults))
        for fault in faults:
            began = time.monotonic()
            await asyncio.sleep(trouble.seconds_per_fault / 2)
            self._done.append(await fault())
            self._progress.advance(bar)
            self._progress.console.print(f"{self._done[-1]}; {self._accepted} accepted", highlight=False)
            await asyncio.sleep(max(0.0, began + trouble.seconds_per_fault - time.monotonic()))

    async def _restart_servers(self) -> str:
        """All web processes at once: asked to end, the next time killed."""
        number = signal.SIGKILL if self._kills % 2 else signal.SIGTERM
        self._kills += 1
        old = self._platform.pids()["web"]
        for pid in old:
            os.kill(pid, number)
        deadline = time.monotonic() + REPLACED_SECONDS
        while len(set(self._platform.pids()["web"]) - set(old)) < len(old):
            if time.monotonic() > deadline:
                raise RuntimeError("the web processes did not come back")
            await asyncio.sleep(0.1)
        return f"servers restarted by {number.name}"

    async def _restart_redis(self) -> str:
        await asyncio.to_thread(self._redis.kill)
        await asyncio.sleep(REDIS_AWAY_SECONDS)
        await asyncio.to_thread(self._redis.start)
        return "Redis restarted"

    async def _black_hole(self) -> str:
        await self._road.vanish(self._trouble.black_hole_seconds)
        return f"black hole of {self._trouble.black_hole_seconds:g} s"

    async def _settle(self, database: Database) -> bool:
        """Wait until nothing is open and every client stands where its inbox stands."""
        deadline = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < deadline:
            progress = await asyncio.to_thread(database.progress)
            if progress is not None and progress[0] == 0:
                break
            await asyncio.sleep(0.5)
        else:
            return False
        deadline = time.monotonic() + ARRIVED_SECONDS
        while time.monotonic() < deadline:
            # Clients still mark messages as read now and then, so the heads move until the last message was seen.
            heads = await asyncio.to_thread(database.heads)
            if all(ear.offset == heads.get(ear.recipient, 0) for ear in self._ears):
                return True
            await asyncio.sleep(0.5)
        return True

    def _judge(self, view: View, settled: bool) -> Report:
        told: dict[str, list[str]] = {ear.recipient: [] for ear in self._ears}
        for message in view.messages:
            told[message.recipient].append(message.id)
        report = Report("What sockets missed", {})
        report.note("clients", len(self._ears))
        report.note("connects", sum(ear.connects for ear in self._ears))
        report.note("dropped_by_clients", sum(ear.dropped for ear in self._ears))
        report.note("requests_accepted", self._accepted)
        report.note("requests_repeated", self._retried)
        report.note("messages", len(view.messages))
        report.note("changes", sum(ear.offset for ear in self._ears))
        report.check("everything_delivered", settled, "yes", settled)
        for name, faults in (("gaps", "gaps"), ("doubles_or_disorder", "doubles"), ("refusals", "refused")):
            report.none(name, [f"{ear.recipient}: {text}" for ear in self._ears for text in getattr(ear, faults)])
        report.none(
            "clients_that_missed_something",
            [
                f"{ear.recipient}: at {ear.offset} of {view.heads.get(ear.recipient, 0)}, "
                f"{len(ear.created)} of {len(told[ear.recipient])} messages"
                for ear in self._ears
                if ear.created != told[ear.recipient] or ear.offset != view.heads.get(ear.recipient, 0)
            ],
        )
        report.none("laws_broken", view.broken_laws)
        report.tail = {"faults": self._done, "bytes_swallowed": self._road.swallowed}
        return report

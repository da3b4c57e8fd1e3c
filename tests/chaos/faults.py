"""What is done to the platform: signals to processes whose pids the launcher's own children are, and cut connections."""

import asyncio
import random
import shutil
import signal
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import psutil
import psycopg
import redis

from deploy.launcher.postgres import EmbeddedPostgres
from deploy.launcher.valkey import EmbeddedValkey
from tests.chaos.plan import Kind, Plan
from tests.fixtures.platform import Platform, wait_for

REPLACED_SECONDS: Final = 40.0
VALKEY_FROZEN_SECONDS: Final = 6.0
CUT: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dataclass(frozen=True, slots=True)
class Done:
    """One fault that happened: Unix times of its beginning and its end (the same but for freezing), and how it was mended."""

    kind: Kind
    at: float
    until: float
    mended_seconds: float | None


class Saboteur:
    """Does the plan's faults at their times. Two faults never meet on the same kind of process."""

    def __init__(self, plan: Plan, platform: Platform, *, lease_seconds: float, rng: random.Random) -> None:
        self.done: list[Done] = []
        self.failed: list[str] = []
        self._plan = plan
        self._platform = platform
        self._lease_seconds = lease_seconds
        self._rng = rng
        self._usual = {role: len(pids) for role, pids in platform.pids().items()}
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, started: float) -> None:
        """Do everything; `started` is the run's zero on the monotonic clock."""
        async with asyncio.TaskGroup() as group:
            for fault in self._plan.faults:
                await asyncio.sleep(max(0.0, started + fault.at_seconds - time.monotonic()))
                group.create_task(self._do(fault.kind))

    async def _do(self, kind: Kind) -> None:
        role, act = self._acts()[kind]
        async with self._turns[role.removesuffix("_child")]:
            try:
                at, until = await act(role)
                began = time.monotonic()
                await self._wait_until_complete(role)
            except (AssertionError, psutil.Error, psycopg.Error, redis.RedisError) as error:
                self.failed.append(f"{kind}: {type(error).__name__} {error}"[:300])
                return
            self.done.append(Done(kind, at, until, round(time.monotonic() - began, 2)))

    def _acts(self) -> dict[Kind, tuple[str, Callable[[str], Awaitable[tuple[float, float]]]]]:
        return {
            Kind.KILL_API: ("web", self._kill),
            Kind.KILL_WORKER: ("worker", self._kill),
            Kind.KILL_CHILD: ("worker_child", self._kill),
            Kind.KILL_BEAT: ("beat", self._kill),
            Kind.KILL_VALKEY: ("valkey", self._kill),
            Kind.EMPTY_VALKEY: ("valkey", self._empty_valkey),
            Kind.FLUSH_VALKEY: ("valkey", self._flush_valkey),
            Kind.CUT_VALKEY: ("valkey", self._cut_valkey),
            Kind.FREEZE_VALKEY: ("valkey", self._freeze_valkey),
            Kind.STOP_POSTGRES: ("postgres", self._stop_postgres),
            Kind.CUT_POSTGRES: ("postgres", self._cut_postgres),
            Kind.FREEZE_CHILD: ("worker_child", self._freeze_child),
        }

    async def _victim(self, role: str) -> psutil.Process:
        """A process of this role; psutil refuses to signal its number once it belongs to another."""
        found = await asyncio.to_thread(
            wait_for, lambda: self._platform.pids()[role], timeout_seconds=REPLACED_SECONDS, what=f"a {role} to harm"
        )
        return psutil.Process(self._rng.choice(found))

    async def _wait_until_complete(self, role: str) -> None:
        """Until the launcher has put another process in the place of what died."""
        await asyncio.to_thread(
            wait_for,
            lambda: len(self._platform.pids()[role]) >= self._usual[role],
            timeout_seconds=REPLACED_SECONDS,
            what=f"{self._usual[role]} of {role} to run again",
        )

    async def _signal(self, role: str, number: signal.Signals) -> tuple[float, float]:
        victim = await self._victim(role)
        at = time.time()
        victim.send_signal(number)
        await asyncio.to_thread(victim.wait, REPLACED_SECONDS)
        return at, at

    async def _kill(self, role: str) -> tuple[float, float]:
        return await self._signal(role, signal.SIGKILL)

    async def _stop_postgres(self, role: str) -> tuple[float, float]:
        """Immediate shutdown: no checkpoint, recovery from the log at the next start."""
        return await self._signal(role, signal.SIGQUIT)

    async def _freeze(self, role: str, seconds: float) -> tuple[float, float]:
        victim = await self._victim(role)
        at = time.time()
        victim.suspend()
        try:
            await asyncio.sleep(seconds)
        finally:
            if victim.is_running():
                victim.resume()
        return at, time.time()

    async def _freeze_child(self, role: str) -> tuple[float, float]:
        return await self._freeze(role, 1.3 * self._lease_seconds)

    async def _freeze_valkey(self, role: str) -> tuple[float, float]:
        return await self._freeze(role, VALKEY_FROZEN_SECONDS)

    async def _empty_valkey(self, role: str) -> tuple[float, float]:
        """Frozen first, so that the data are gone before another takes its place."""
        victim = await self._victim(role)
        at = time.time()
        victim.suspend()
        for path in (self._platform.data_dir / "valkey").iterdir():
            if path.is_dir():
                shutil.rmtree(path)
        victim.kill()
        await asyncio.to_thread(victim.wait, REPLACED_SECONDS)
        return at, at

    async def _flush_valkey(self, role: str) -> tuple[float, float]:
        return await self._tell_valkey(lambda client: client.flushall())

    async def _cut_valkey(self, role: str) -> tuple[float, float]:
        def cut(client: "redis.Redis") -> None:
            for kind in ("normal", "pubsub"):
                client.client_kill_filter(_type=kind, skipme=True)

        return await self._tell_valkey(cut)

    async def _tell_valkey(self, tell: Callable[["redis.Redis"], object]) -> tuple[float, float]:
        server = EmbeddedValkey(self._platform.data_dir)

        def work() -> float:
            wait_for(server.is_ready, timeout_seconds=REPLACED_SECONDS, what="Valkey to answer")
            with redis.Redis.from_url(server.url) as client:
                tell(client)
                return time.time()

        at = await asyncio.to_thread(work)
        return at, at

    async def _cut_postgres(self, role: str) -> tuple[float, float]:
        server = EmbeddedPostgres(self._platform.data_dir)

        def work() -> float:
            wait_for(server.is_ready, timeout_seconds=REPLACED_SECONDS, what="PostgreSQL to answer")
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(CUT)
                return time.time()

        at = await asyncio.to_thread(work)
        return at, at

"""One server away for a while under steady load: what callers are told meanwhile, and how soon all is well again.

The servers are the rig's own here (the launcher is told their addresses), so that nothing starts them again before their time.
"""

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import aiohttp
from rich.progress import Progress

from deploy.launcher.postgres import EmbeddedPostgres
from deploy.launcher.valkey import EmbeddedValkey
from tests.chaos import compare
from tests.chaos.database import Database, read_api_states
from tests.chaos.plan import Plan, Request, draw
from tests.chaos.report import Report
from tests.chaos.setting import open_setting
from tests.fixtures.platform import Platform, remove_data, wait_for
from tests.fixtures.servers import RunningServer

KINDS: Final = ("redis-frozen", "redis-stopped", "postgres-stopped")
PER_SECOND: Final = 25
BEFORE_SECONDS: Final = 8.0
AFTER_SECONDS: Final = 8.0
BACKLOG_SECONDS: Final = 60.0
ACCEPTED_P99_SECONDS: Final = 1.0
HONEST_SECONDS: Final = 2.0
CALL_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One POST: when it was sent (monotonic), how long it took, and what came; status 0 is no answer."""

    at: float
    seconds: float
    status: int
    kind: str


@dataclass(frozen=True)
class Servers:
    """The two servers in the rig's hands."""

    postgres: RunningServer
    valkey: RunningServer


class Outage:
    """Sends everything in the plan, each at its time, whatever becomes of the one before; then the missing again."""

    def __init__(self, kind: str, plan: Plan, platform: Platform, servers: Servers) -> None:
        self.answers: list[Answered] = []
        self.accepted: dict[int, str] = {}
        self.began = self.ended = self.ended_at = 0.0
        self._kind = kind
        self._plan = plan
        self._platform = platform
        self._servers = servers

    async def run(self, seconds: float) -> None:
        headers = {"Authorization": f"Bearer {self._platform.api_key}"}
        async with aiohttp.ClientSession(
            self._platform.url,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
            connector=aiohttp.TCPConnector(limit=0),
        ) as session:
            started = time.monotonic()
            async with asyncio.TaskGroup() as calls:
                harm = calls.create_task(self._harm(seconds))
                for request in self._plan.requests:
                    await asyncio.sleep(max(0.0, started + request.at_seconds - time.monotonic()))
                    calls.create_task(self._ask(session, request))
                await harm
            for request in self._plan.requests:
                if request.submissions[0].number not in self.accepted:
                    await self._ask(session, request, counted=False)

    async def _harm(self, seconds: float) -> None:
        server = self._servers.postgres if self._kind.startswith("postgres") else self._servers.valkey
        await asyncio.sleep(BEFORE_SECONDS)
        assert server.process is not None
        self.began = time.monotonic()
        frozen = self._kind.endswith("frozen")
        if frozen:
            server.process.send_signal(signal.SIGSTOP)
        else:
            server.process.send_signal(signal.SIGINT)
            await asyncio.to_thread(server.process.wait, 30)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.ended, self.ended_at = time.monotonic(), time.time()
            if frozen:
                server.process.send_signal(signal.SIGCONT)
            else:
                # On the pool's thread, which lives as long as the loop: the server dies with the thread that starts it.
                await asyncio.to_thread(server.start)

    async def _ask(self, session: aiohttp.ClientSession, request: Request, *, counted: bool = True) -> None:
        (submission,) = request.submissions
        at, status, kind, body = time.monotonic(), 0, "", None
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):
            async with session.post(
                "/v1/notifications", json=submission.body(), headers={"Idempotency-Key": request.key}
            ) as answer:
                status, kind, body = answer.status, answer.content_type, await answer.json(content_type=None)
        if counted:
            self.answers.append(Answered(at, time.monotonic() - at, status, kind))
        if status == 202 and body:
            self.accepted[submission.number] = body["id"]

    @property
    def meanwhile(self) -> list[Answered]:
        """What was sent while the server was away."""
        return [each for each in self.answers if self.began <= each.at < self.ended]


async def run(kind: str, *, seconds: float, seed: int, progress: Progress) -> Report:
    """One outage from beginning to end."""
    length = BEFORE_SECONDS + seconds + AFTER_SECONDS
    plan = draw(seed=seed, accepted=int(PER_SECOND * length), kills=0, seconds=length, largest=1)
    bar = progress.add_task(kind, total=int(length))
    with tempfile.TemporaryDirectory(prefix="carillon-chaos-servers-") as folder:
        async with _servers(Path(folder)) as servers:
            env = {"DATABASE_URL": servers.postgres.url, "REDIS_URL": servers.valkey.url}
            async with open_setting(plan, listeners=0, env=env) as setting:
                ticking = asyncio.create_task(_tick(progress, bar))
                before = setting.platform.pids()
                outage = Outage(kind, plan, setting.platform, servers)
                await outage.run(seconds)
                database = Database(servers.postgres.url)
                settled = await asyncio.to_thread(_settle, database)
                after = setting.platform.pids()
                states = await asyncio.to_thread(read_api_states, setting.platform.http)
                view = await asyncio.to_thread(database.view, states)
                ticking.cancel()
                report = _judge(kind, seconds, plan, outage, replaced=_replaced(before, after))
                losses = compare.find_losses(
                    plan.submissions, outage.accepted, view, setting.receivers.book, setting.post_office.book
                )
                report.none("lost", losses.all)
                report.none("doubles_under_one_key", compare.find_key_doubles(view))
                report.none("in_app_doubles", compare.find_doubles(view))
                report.none("laws_broken", view.broken_laws)
                report.check("all_terminal", settled, "yes", settled)
                backlog = [
                    row.finished_at - outage.ended_at
                    for row in view.deliveries
                    if row.finished_at is not None and row.created_at < outage.ended_at
                ]
                report.within("backlog_gone_after", max(backlog, default=0.0), BACKLOG_SECONDS)
                return report


def _judge(kind: str, seconds: float, plan: Plan, outage: Outage, *, replaced: list[str]) -> Report:
    answers = outage.meanwhile
    accepted = [each.seconds for each in answers if each.status == 202]
    refused = [each for each in answers if each.status == 503]
    report = Report(
        title=f"Carillon with {kind} for {seconds:g} s, seed {plan.seed}",
        head={"seed": plan.seed, "outage": kind, "outage_seconds": seconds, "requests_per_second": PER_SECOND},
    )
    report.note("requests_meanwhile", len(answers))
    report.note("accepted_meanwhile", len(accepted))
    report.note("refused_meanwhile", len(refused))
    others = [
        f"{each.status} {each.kind} after {each.seconds:.2f} s" for each in answers if each.status not in (202, 503)
    ]
    report.none("other_answers_meanwhile", others)
    report.check("accepted", len(outage.accepted), str(len(plan.requests)), len(outage.accepted) == len(plan.requests))
    if kind.startswith("redis"):
        report.check("refused_without_redis", len(refused), "0", not refused)
        report.within("accepted_p99", _p99(accepted), ACCEPTED_P99_SECONDS)
    else:
        # Answered while it was away: not those that were on their way when it went, nor those that waited for its return.
        untrue = [
            each
            for each in answers
            if each.status == 202 and each.at > outage.began + 1 and each.at + each.seconds < outage.ended
        ]
        report.check("accepted_without_database", len(untrue), "0", not untrue)
        report.within("refused_after_longest", max((each.seconds for each in refused), default=0.0), HONEST_SECONDS)
        report.check(
            "problem_documents",
            sum(each.kind == "application/problem+json" for each in refused),
            str(len(refused)),
            bool(refused) and all(each.kind == "application/problem+json" for each in refused),
        )
    report.none("processes_replaced", replaced)
    return report


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98] if len(values) > 1 else float("inf")


def _replaced(before: dict[str, list[int]], after: dict[str, list[int]]) -> list[str]:
    """Roles whose processes are others than before; Celery may exchange the children of its pool."""
    return [role for role in before if role != "worker_child" and sorted(before[role]) != sorted(after[role])]


def _settle(database: Database) -> bool:
    try:
        wait_for(
            lambda: (progress := database.progress()) is not None and progress[0] == 0,
            timeout_seconds=2 * BACKLOG_SECONDS,
            what="everything to be terminal",
        )
    except AssertionError:
        return False
    return True


async def _tick(progress: Progress, bar: Any) -> None:
    while True:
        await asyncio.sleep(1)
        progress.advance(bar)


@contextlib.asynccontextmanager
async def _servers(folder: Path) -> AsyncIterator[Servers]:
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(remove_data, folder)
        embedded = EmbeddedPostgres(folder, max_connections=200)
        stack.callback(embedded.release)
        postgres = await asyncio.to_thread(RunningServer, embedded, folder / "postgres.log")
        stack.push_async_callback(asyncio.to_thread, postgres.stop)
        valkey = await asyncio.to_thread(RunningServer, EmbeddedValkey(folder), folder / "valkey.log")
        stack.push_async_callback(asyncio.to_thread, valkey.stop)
        yield Servers(postgres, valkey)

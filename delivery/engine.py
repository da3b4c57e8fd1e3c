"""The working heart of one worker process: every stage's claiming and sending, on one event loop.

Celery's messages wake it; without any it looks for due work by itself every few seconds, so a dead broker makes Carillon
slower, never wrong. All state that matters is in PostgreSQL; an engine may be killed between any two lines.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from delivery import in_app
from delivery.conf import DeliveryConf
from delivery.finishes import Finisher
from delivery.inbox_care import InboxCare
from delivery.key_lock import KeyLock
from delivery.lane import Lane
from delivery.providers import ProviderWatch
from delivery.push import Pusher
from delivery.route import Routing, claim_accepted, route_claimed
from delivery.routing import IN_APP
from delivery.runs.stage import walk_due
from delivery.stage import Stage
from delivery.status_events.lane import StatusLane
from delivery.transports import registry
from delivery.transports.base import Transport
from delivery.transports.webhook.transport import WebhookTransport
from notifications.bell import bell
from notifications.conf import conf as notifications_conf
from notifications.database import IN_ORDER, LOOK_UPS, UNREACHABLE, Pool, make_pool
from notifications.events import ROUTE_TASK, SEND_TASK
from schedules.firing import fire_due

ROUTE: Final = "route"
RUNS: Final = "runs"
FIRE: Final = "fire"
_OTHERS_SECONDS: Final = 2.0
_REST: Final = 3.0
_BITES: Final = 4
_LONGEST_REST_SECONDS: Final = 0.2
STATUS: Final = "status_events"
INBOX_CARE: Final = "inbox_care"


class Engine:
    """Start it on the loop it will live on, after the fork."""

    def __init__(self, conf: DeliveryConf) -> None:
        self._conf = conf
        self._claims: Pool = make_pool(max_size=8, avoid=IN_ORDER)
        # A routing claim that is lost with PostgreSQL is a notification that is due at once; what routing writes is durable.
        self._route_claims: Pool = make_pool(max_size=1, avoid=IN_ORDER, durable=False)
        self._pool: Pool = make_pool(max_size=4, avoid=LOOK_UPS)
        self._pusher = Pusher()
        self._transports: dict[str, Transport[Any]] = {}
        self._lanes: list[Lane] = []
        self._status: StatusLane | None = None
        self._stages: dict[str, Stage] = {}
        self._finisher: Finisher | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._lock = KeyLock()
        self._others_at = float("-inf")

    async def start(self) -> None:
        """Open the pool, construct the transports and begin to sweep."""
        await self._claims.open()
        await self._route_claims.open()
        await self._pool.open()
        self._transports = registry.load(self._conf.transports)
        self._finisher = finisher = Finisher(self._pool, self._conf)
        self._lanes = [Lane(transport, self._claims, finisher, self._conf) for transport in self._transports.values()]
        steps = {
            ROUTE: self._route,
            RUNS: self._walk,
            FIRE: self._fire,
            IN_APP: self._store,
            INBOX_CARE: InboxCare(self._pool, notifications_conf().inbox_keep, self._pusher.push).step,
            **{lane.channel: self._guard_lane(lane) for lane in self._lanes},
        }
        self._stages = {name: Stage(name, self._lock.guard(step)) for name, step in steps.items()}
        for lane in self._lanes:
            lane.wake = self._stages[lane.channel].wake
        await self._start_status()
        watch = ProviderWatch(
            self._pool,
            {name: t.providers for name, t in self._transports.items() if hasattr(t, "providers")},
            every_seconds=self._conf.provider_look_seconds,
            on_usable=self._wake,
        )
        self._watch = asyncio.create_task(watch.run(), name="provider-watch")
        self._sweeper = asyncio.create_task(self._sweep(), name="sweeper")

    async def stop(self) -> None:
        """Claim nothing more, finish what is under way (bounded), close everything."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        await asyncio.gather(*(stage.stop() for stage in self._stages.values()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._conf.drain_seconds):
                draining = [lane.drain() for lane in self._lanes]
                if self._status is not None:
                    draining.append(self._status.drain())
                await asyncio.gather(self._pusher.stop(), *draining)
        if self._status is not None:
            await self._status.aclose()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for transport in self._transports.values():
            await transport.aclose()
        if self._finisher is not None:
            await self._finisher.aclose()
        await self._claims.close()
        await self._route_claims.close()
        await self._pool.close()

    async def work(self, stages: Iterable[str], *, patience: float) -> None:
        """Wake `stages` and wait until they found nothing more to do, at most `patience` seconds."""
        tasks = [self._stages[name].wake() for name in stages]
        if tasks:
            await asyncio.wait(tasks, timeout=patience)

    @property
    def channels(self) -> list[str]:
        """Every stage that sends."""
        return [name for name in self._stages if name not in (FIRE, INBOX_CARE, ROUTE, RUNS)]

    async def _start_status(self) -> None:
        """Status events go out by a webhook transport of their own."""
        if (setting := self._conf.transports.get("webhook")) is not None:
            transport = registry.load({"webhook": setting})["webhook"]
            assert isinstance(transport, WebhookTransport)
            self._status = StatusLane(transport, self._conf, lambda: self._stages[STATUS].wake())
            await self._status.start()
            self._stages[STATUS] = Stage(STATUS, self._lock.guard(self._status.step))

    def _wake(self, channel: str) -> None:
        self._stages[channel].wake()

    async def _route(self) -> bool:
        async with self._route_claims.connection() as connection:
            seen, claimed = await claim_accepted(connection, self._conf)
        if claimed:
            self._others_at = time.monotonic()
            try:
                await self._route_claimed(claimed)
            except (
                UNREACHABLE
            ):  # a connection that died while it lay idle; what is claimed should not wait for its lease
                await self._pool.check()
                await self._route_claimed(claimed)
        return seen > 0

    async def _fire(self) -> bool:
        async with self._pool.connection() as connection:
            fired = await fire_due(connection, notifications_conf())
        if fired.count:
            self._stages[ROUTE].wake()
            bell().ring(ROUTE_TASK)
        return fired.more

    async def _route_claimed(self, claimed: list[Routing]) -> None:
        async with self._pool.connection() as connection:
            await route_claimed(connection, claimed, self._conf, self._on_routed)

    async def _walk(self) -> bool:
        async with self._pool.connection() as connection:
            count, channels = await walk_due(connection, limit=self._conf.run_batch)
        if channels:
            self._on_routed(channels)
        return count == self._conf.run_batch

    def _on_routed(self, channels: set[str]) -> None:
        """Begin to send: here at once, in the other processes once they are rung."""
        for channel in channels & self._stages.keys():
            self._stages[channel].wake()
        bell().ring(SEND_TASK)

    async def _store(self) -> bool:
        began = time.monotonic()
        # A long queue leaves disk and processors to the single messages that are on their way: small bites, and rests.
        shares = began - self._others_at < _OTHERS_SECONDS
        limit = -(-self._conf.in_app_batch // _BITES) if shares else self._conf.in_app_batch
        async with self._claims.connection() as connection:
            count, events = await in_app.deliver(connection, limit=limit)
        self._pusher.push(events)
        if shares and count == limit:
            await asyncio.sleep(min((time.monotonic() - began) * _REST, _LONGEST_REST_SECONDS))
        return count == limit

    def _guard_lane(self, lane: Lane) -> Callable[[], Awaitable[bool]]:
        async def step() -> bool:
            more = await lane.step()
            if lane.is_busy:
                self._others_at = time.monotonic()
            return more

        return step

    async def _sweep(self) -> None:
        while True:
            if self._finisher is not None:
                self._finisher.look_for_estates()
            for stage in self._stages.values():
                stage.wake()
            await asyncio.sleep(self._conf.sweep_seconds)

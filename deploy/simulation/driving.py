"""The real engine, stage by stage in one process, driven from one moment at which something is due to the next."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from delivery import in_app
from delivery.conf import conf as delivery_conf
from delivery.finishes import Finisher
from delivery.lane import Lane
from delivery.route import route
from delivery.routing import IN_APP
from delivery.runs.stage import walk_due
from delivery.transports import registry
from deploy.simulation.clock import Hand, aset_clock
from deploy.simulation.recording import Said, recording
from notifications.conf import conf as intake_conf
from notifications.database import connect, make_pool
from notifications.intake.writer import Connection
from schedules.firing import fire_due

_DUE: Final = """
    SELECT stage, min(at) FROM (
        SELECT 'fire' AS stage, CASE WHEN asked_at IS NULL THEN next_at ELSE now() END AS at FROM schedules_schedule
        UNION ALL SELECT 'route', available_at FROM notifications_notification
        UNION ALL SELECT 'runs', available_at FROM delivery_run
        UNION ALL SELECT 'send ' || channel, available_at FROM delivery_delivery) AS open
     WHERE at IS NOT NULL GROUP BY stage"""
_MOST_ROUNDS: Final = 10_000
_BATCH: Final = 500


class Stuck(RuntimeError):
    """The engine finds no end at one moment."""


class Driver:
    """One engine under a hand's clock."""

    def __init__(self, connection: Connection, lanes: dict[str, Lane], said: dict[str, Said], hand: Hand) -> None:
        self.connection = connection
        self._hand = hand
        self.said = said
        """What was sent, by the delivery's public id."""
        self._lanes = lanes
        self._conf = delivery_conf()
        self._stages: dict[str, Callable[[], Awaitable[Any]]] = {
            "fire": lambda: fire_due(connection, intake_conf()),
            "route": lambda: route(connection, self._conf, _unheard),
            "runs": lambda: walk_due(connection, limit=_BATCH),
            f"send {IN_APP}": lambda: in_app.deliver(connection, limit=_BATCH),
            **{f"send {channel}": self._sending(lane) for channel, lane in lanes.items()},
        }

    @property
    def now(self) -> datetime:
        """Where the clock stands, for the database and for Python."""
        return self._hand.moment

    async def settle(self) -> datetime | None:
        """Do everything that is due now; when something is due next."""
        for _ in range(_MOST_ROUNDS):
            due = await self._due()
            ready = [stage for stage in self._stages if stage in due and due[stage] <= self.now]
            if not ready:
                return min(due.values(), default=None)
            for stage in ready:
                await self._stages[stage]()
        raise Stuck(f"At {self.now.isoformat()} the engine finds no end.")

    async def set(self, moment: datetime) -> None:
        """Put the clock."""
        self._hand.moment = moment
        await aset_clock(self.connection, moment)

    async def _due(self) -> dict[str, datetime]:
        return dict(await (await self.connection.execute(_DUE, prepare=True)).fetchall())

    @staticmethod
    def _sending(lane: Lane) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            await lane.step()
            await lane.rest()

        return step


@contextlib.asynccontextmanager
async def driving(hand: Hand) -> AsyncIterator[Driver]:
    """A driver with everything that an engine has, on the database that is configured now."""
    conf = replace(delivery_conf(), retry_jitter=0.0, journal_folder=None, finish_linger_seconds=0.0)
    said: dict[str, Said] = {}
    transports = {name: recording(real, said) for name, real in registry.load(conf.transports).items()}
    pool = make_pool(max_size=2)
    await pool.open()
    finisher = Finisher(pool, conf)
    try:
        async with await connect() as connection:
            lanes = {name: Lane(transport, pool, finisher, conf) for name, transport in transports.items()}
            yield Driver(connection, lanes, said, hand)
    finally:
        for transport in transports.values():
            await transport.aclose()
        await finisher.aclose()
        await pool.close()


def _unheard(channels: set[str]) -> None:
    """Nobody waits to hear of work: the next round looks."""

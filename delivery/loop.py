"""The one bridge from Celery's synchronous world into asyncio: one loop per worker process, in a thread of its own.

Opened after the fork and kept for the life of the process, so pools, kept connections and channel layers
live on it; a loop per task would cost twenty times as much per message sent.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import uvloop

from delivery.conf import conf
from delivery.engine import Engine
from delivery.heartbeats import WORKER, Heart
from notifications.collecting import collect_seldom

T = TypeVar("T")
_START_SECONDS: Final = 3.0


class EngineThread:
    """An engine and the thread whose loop it lives on."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
        self._engine: Engine | None = None
        self._heart = Heart(WORKER)

    def start(self) -> None:
        """Begin; work that comes before PostgreSQL answers simply finds it unreachable."""
        self._thread.start()
        self._engine = Engine(conf())
        self.call(self._engine.start(), timeout=_START_SECONDS)
        self._loop.call_soon_threadsafe(self._heart.start)
        collect_seldom()

    def call(self, work: Coroutine[Any, Any, T], *, timeout: float) -> T:
        """Run `work` on the loop and wait for it. Raises TimeoutError; the work then goes on."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def stop(self) -> None:
        """Finish what is under way and end the loop."""
        if self._engine is not None:
            self.call(self._engine.stop(), timeout=conf().drain_seconds + 5.0)
            self.call(self._heart.stop(), timeout=3.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5.0)

    @property
    def engine(self) -> Engine:
        assert self._engine is not None
        return self._engine


_current: EngineThread | None = None


def current() -> EngineThread:
    """This process's engine, started on first use."""
    global _current
    if _current is None:
        _current = EngineThread()
        _current.start()
    return _current


def stop_current() -> None:
    """End this process's engine, if it has one."""
    global _current
    if _current is not None:
        _current.stop()
        _current = None

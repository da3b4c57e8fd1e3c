"""Rings after a commit: a Celery message that says "there is work in stage X", sent from a thread of its own.

Publishing is synchronous and may hang when Redis does, so nobody who answers a request ever waits for it. Rings of the
same stage that come while one is under way become one. A ring that is lost costs the time until the next
sweep, never work; failures are counted and otherwise swallowed.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

import structlog
from celery import Celery, current_app
from kombu.exceptions import OperationalError

from notifications import metrics

log = structlog.get_logger(__name__)

_EXPIRES_SECONDS: Final = 10
_REST_SECONDS: Final = 0.02  # at most fifty rings a second, however many commits there are
_BUSY_REST_SECONDS: Final = 0.1  # while there are very many: publishing took a twentieth of a busy process's time
_BUSY_PER_SECOND: Final = 150
_UNREACHABLE: Final = (OperationalError, OSError, TimeoutError)


def rest_after(asked: int, rest: float) -> float:
    """How long to rest after the next rings, when `asked` came during a rest of `rest` seconds."""
    return _BUSY_REST_SECONDS if asked > rest * _BUSY_PER_SECOND else _REST_SECONDS


class Bell:
    """One thread per process that publishes wake-ups. Start it after the fork; `ring` from any thread."""

    def __init__(self, publish: Callable[[str], Any]) -> None:
        self._publish = publish
        self._wanted: set[str] = set()
        self._asked = 0
        self._resting = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._failing = False

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; does not wait for a publish that hangs."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def ring(self, task: str) -> None:
        """Wake the stage served by `task` soon. Returns at once, raises nothing."""
        with self._changed:
            self._wanted.add(task)
            self._asked += 1
            if not self._resting:  # waking a thread that goes on resting is a waste, too
                self._changed.notify()

    def _run(self) -> None:
        rest = _REST_SECONDS
        while True:
            with self._changed:
                while not self._wanted and not self._stopping:
                    self._changed.wait()
                if self._stopping:
                    return
                wanted, self._wanted = self._wanted, set()
            for task in sorted(wanted):
                self._ring(task)
            with self._changed:
                self._asked, self._resting = 0, True
                self._changed.wait_for(lambda: self._stopping, timeout=rest)
                self._resting = False
                rest = rest_after(self._asked, rest)

    def _ring(self, task: str) -> None:
        """Publish once; of an outage, the beginning and the end are logged."""
        try:
            self._publish(task)
        except _UNREACHABLE as error:
            metrics.BELL_FAILED.labels(task).inc()
            if not self._failing:
                log.warning("bell_failed", task=task, error=type(error).__name__)
            self._failing = True
        else:
            metrics.BELL_RUNG.labels(task).inc()
            if self._failing:
                log.info("bell_rings_again", task=task)
            self._failing = False


def publish(task: str, app: Celery = current_app) -> None:
    """One wake-up to the broker. Raises when it does not answer."""
    app.send_task(task, expires=_EXPIRES_SECONDS, retry=False, ignore_result=True)


_bell: Bell | None = None
_guard = threading.Lock()


def bell() -> Bell:
    """The process's bell, started on first use (so after any fork)."""
    global _bell
    with _guard:
        if _bell is None:
            _bell = Bell(publish)
            _bell.start()
        return _bell

"""Celery tasks: wake-ups. Each hands one coroutine to the process's engine; losing a message loses only time."""

from typing import Any, Final

from celery import shared_task
from celery.signals import worker_process_init, worker_process_shutdown

from delivery.conf import conf
from delivery.engine import FIRE, ROUTE, RUNS
from delivery.feedback.poll import poll_configured
from delivery.inspection import inspect_recent
from delivery.laws import SINCE_EVER
from delivery.loop import current, stop_current
from delivery.retention import forget_history
from notifications.events import ROUTE_TASK, SEND_TASK
from schedules.periodic import FIRE_TASK, HISTORY_TASK, INSPECT_TASK, POLL_TASK, SWEEP_TASK

# A process that is at it leaves the next wake-up to another one for a moment; longer, and a queue that takes minutes, or a slow receiver,
# would keep what is rung for others waiting.
_PATIENCE_SECONDS: Final = 0.01

_history = SINCE_EVER  # how far this process has come in looking through what is old


@shared_task(name=ROUTE_TASK)
def route() -> None:
    """Route what was accepted."""
    _work([ROUTE])


@shared_task(name=SEND_TASK)
def send() -> None:
    """Send what is due."""
    _work(current().engine.channels)


@shared_task(name=SWEEP_TASK)
def sweep() -> None:
    """What Beat asks for: everything that is due, whoever forgot to ring."""
    _work([FIRE, ROUTE, RUNS, *current().engine.channels])


@shared_task(name=FIRE_TASK)
def fire() -> None:
    """Make what schedules have due."""
    _work([FIRE])


@shared_task(name=INSPECT_TASK)
def inspect() -> None:
    """Are the laws kept?"""
    inspect_recent()


@shared_task(name=HISTORY_TASK)
def forget() -> None:
    """Drop what ended long ago."""
    global _history
    if days := conf().history_days:
        _, _history = forget_history(days=days, after=_history)


@shared_task(name=POLL_TASK)
def poll_bounces() -> None:
    """Read the bounce mailbox, if there is one."""
    poll_configured()


def _work(stages: list[str]) -> None:
    running = current()
    running.call(running.engine.work(stages, patience=_PATIENCE_SECONDS), timeout=_PATIENCE_SECONDS + 15.0)


@worker_process_init.connect
def _begin(**_: Any) -> None:
    current()


@worker_process_shutdown.connect
def _end(**_: Any) -> None:
    stop_current()

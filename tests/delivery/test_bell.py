"""The bell: wake-ups through a real Valkey that is frozen and killed."""

import functools
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import Celery

from deploy.config import broker
from notifications import metrics
from notifications.bell import Bell, publish, rest_after
from notifications.events import ROUTE_TASK, SEND_TASK
from tests.fixtures.platform import wait_for
from tests.fixtures.servers import RunningServer

QUEUE = "carillon:celery"


@pytest.fixture
def ringer(valkey: RunningServer) -> Iterator[Bell]:
    """A bell, not yet started, on Carillon's Celery settings and a Valkey of the test's own."""
    from deploy.celery_app import app as carillon

    app = Celery("bell", set_as_current=False)
    app.conf.update({**carillon.conf.changes, "broker_url": broker(valkey.url)})
    bell = Bell(functools.partial(publish, app=app))
    yield bell
    bell.stop()
    app.close()


def waiting(valkey: RunningServer) -> Any:
    """How many wake-ups are in the broker's queue."""
    with redis.Redis.from_url(valkey.url) as client:
        return client.llen(QUEUE)


def failed(task: str = ROUTE_TASK) -> float:
    return metrics.BELL_FAILED.labels(task)._value.get()


def rung(task: str = ROUTE_TASK) -> float:
    return metrics.BELL_RUNG.labels(task)._value.get()


def test_rings_of_one_stage_fold_into_one_wake_up(ringer: Bell, valkey: RunningServer) -> None:
    for _ in range(1000):
        ringer.ring(ROUTE_TASK)
        ringer.ring(SEND_TASK)
    ringer.start()
    wait_for(lambda: waiting(valkey) == 2, timeout_seconds=10, what="both wake-ups")
    ringer.ring(ROUTE_TASK)
    wait_for(lambda: waiting(valkey) == 3, timeout_seconds=10, what="the next one")


def test_very_many_rings_are_published_less_often_and_few_as_soon_as_ever() -> None:
    seldom = rest_after(0, 1.0)
    often = rest_after(10_000, seldom)
    assert seldom < often
    assert rest_after(10_000, often) == often
    assert rest_after(1, often) == rest_after(1, seldom) == seldom  # one message every now and then never waits


def test_a_frozen_broker_holds_nobody_who_rings(ringer: Bell, valkey: RunningServer) -> None:
    ringer.start()
    ringer.ring(ROUTE_TASK)
    wait_for(lambda: waiting(valkey) == 1, timeout_seconds=10, what="the connection to be open")
    assert valkey.process is not None
    told = rung() + failed()
    valkey.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(1000):
            ringer.ring(ROUTE_TASK)
        # All rings came back although not one of them can have been told anybody.
        assert rung() + failed() == told
    finally:
        valkey.process.send_signal(signal.SIGCONT)
    wait_for(lambda: rung() + failed() > told, timeout_seconds=20, what="the bell to go on")


def test_a_broker_that_is_gone_is_counted_and_rung_again_when_it_is_back(ringer: Bell, valkey: RunningServer) -> None:
    ringer.start()
    ringer.ring(ROUTE_TASK)
    wait_for(lambda: waiting(valkey) == 1, timeout_seconds=10, what="the connection to be open")
    valkey.kill()
    missed = failed()
    ringer.ring(ROUTE_TASK)
    wait_for(lambda: failed() > missed, timeout_seconds=20, what="the failure to be counted")
    valkey.start()
    before = rung()
    ringer.ring(ROUTE_TASK)
    wait_for(lambda: rung() > before, timeout_seconds=20, what="the bell to ring again")


def test_a_broker_that_was_never_there(valkey: RunningServer, ringer: Bell) -> None:
    valkey.kill()
    missed = failed(SEND_TASK)
    ringer.start()
    ringer.ring(SEND_TASK)
    wait_for(lambda: failed(SEND_TASK) > missed, timeout_seconds=20, what="the failure to be counted")

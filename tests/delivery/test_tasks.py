"""Celery as Carillon uses it: wake-ups only, and settings of which each default was seen to hang, lose or repeat."""

import inspect

import pytest
from celery import Celery

from deploy.celery_app import app as carillon
from notifications.events import ROUTE_TASK, SEND_TASK
from schedules.periodic import BEAT_SCHEDULE, FIRE_TASK, FORGET_TASK, HISTORY_TASK, INSPECT_TASK, POLL_TASK, SWEEP_TASK


@pytest.fixture(scope="module")
def app() -> Celery:
    carillon.loader.import_default_modules()
    carillon.finalize()
    return carillon


def our_tasks(app: Celery) -> dict[str, object]:
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def test_the_tasks_are_known_by_names_that_stay(app: Celery) -> None:
    """A queue may hold messages of an older release: a name is an interface."""
    assert set(our_tasks(app)) == {
        "delivery.forget",
        "delivery.inspect",
        "delivery.poll_bounces",
        "delivery.route",
        "delivery.send",
        "delivery.sweep",
        "schedules.fire",
        "schedules.forget",
    }
    named = {FIRE_TASK, FORGET_TASK, HISTORY_TASK, INSPECT_TASK, POLL_TASK, ROUTE_TASK, SEND_TASK, SWEEP_TASK}
    assert named == set(our_tasks(app))


def test_no_task_is_a_coroutine_function(app: Celery) -> None:
    """Celery calls one "succeeded" without ever running it."""
    for name, task in our_tasks(app).items():
        assert not inspect.iscoroutinefunction(inspect.unwrap(task.run)), name  # type: ignore[attr-defined]
        assert not inspect.isasyncgenfunction(task.run), name  # type: ignore[attr-defined]


def test_wake_ups_carry_nothing(app: Celery) -> None:
    for name, task in our_tasks(app).items():
        assert not inspect.signature(task.run).parameters, name  # type: ignore[attr-defined]


def test_a_message_is_json_acknowledged_late_and_leaves_no_result(app: Celery) -> None:
    conf = app.conf
    assert (conf.task_serializer, conf.accept_content) == ("json", ["json"])
    assert conf.task_acks_late and conf.task_acks_on_failure_or_timeout and conf.task_reject_on_worker_lost
    assert conf.task_ignore_result and not conf.task_store_errors_even_if_ignored
    assert conf.result_backend is None
    assert conf.worker_prefetch_multiplier == 1


def test_no_wait_for_the_broker_is_without_end(app: Celery) -> None:
    options = app.conf.broker_transport_options
    assert options["socket_timeout"] == 5 and options["socket_connect_timeout"] == 3
    assert options["socket_keepalive"] and options["health_check_interval"] == 10
    assert app.conf.task_publish_retry_policy["max_retries"] == 1
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit < options["visibility_timeout"]


def test_the_worker_waits_for_its_broker_and_lets_work_end(app: Celery) -> None:
    assert app.conf.broker_connection_retry_on_startup
    assert 0 < app.conf.worker_soft_shutdown_timeout < 30
    assert app.conf.worker_max_tasks_per_child and app.conf.worker_max_memory_per_child


def test_beat_keeps_its_schedule_in_the_database(app: Celery) -> None:
    assert app.conf.beat_scheduler == "deploy.beat_scheduler:HeartbeatScheduler"
    assert app.conf.beat_schedule == BEAT_SCHEDULE
    assert app.conf.timezone == "UTC"

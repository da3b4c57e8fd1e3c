"""The Celery app. Its messages are wake-ups only; see the ADR on handing over through rows.

Every setting below is there because a default was seen to hang, lose or repeat.
"""

import contextlib
import faulthandler
import os
import signal
import threading
import time
from typing import Any, Final

import billiard
import billiard.pool
from celery import Celery
from celery.signals import setup_logging, worker_init, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")

from django.conf import settings

from deploy import broker
from deploy.logs import configure_logging
from schedules.periodic import BEAT_SCHEDULE

STOP_SECONDS: Final = 24.0
"""A worker that was asked to stop has ended after so long, come what may."""
_LAST_WORDS_SECONDS: Final = 0.5

# A child that ends waits until its parent has read all its results, which a parent that stops under load may never do: 30 s
# by default, in tenths of a second. Ours carry nothing.
billiard.pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = 10

broker.install()
app = Celery("carillon")
app.set_default()  # for every thread: the bell rings from one of its own
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 120,
        "unacked_restore_limit": 1000,
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry_policy": {"timeout": 5.0},
        "global_keyprefix": "carillon:",
    },
    broker_pool_limit=4,
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_acks_late=True,
    task_acks_on_failure_or_timeout=True,
    task_reject_on_worker_lost=True,
    task_publish_retry=True,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1},
    task_soft_time_limit=75,
    task_time_limit=90,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_soft_shutdown_timeout=25.0,
    worker_enable_soft_shutdown_on_idle=True,
    worker_max_tasks_per_child=100_000,
    worker_max_memory_per_child=400_000,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    beat_scheduler="deploy.beat_scheduler:HeartbeatScheduler",
    beat_schedule=BEAT_SCHEDULE,
    timezone="UTC",
    imports=["delivery.tasks", "schedules.tasks"],
)


@setup_logging.connect
def _logging(**_: Any) -> None:
    """Keep Carillon's own logging; Celery would replace the root handlers."""
    configure_logging()


@worker_init.connect
def _say_where_it_stands(**_: Any) -> None:
    """SIGUSR2 writes all threads' stacks to stderr, in the pool's processes too, which are forked later."""
    faulthandler.register(signal.SIGUSR2, all_threads=True)


@worker_shutting_down.connect
def _end_in_time(**_: Any) -> None:
    """Celery waits for its pool without limit, and may wait for a message that nobody sends any more."""
    timer = threading.Timer(STOP_SECONDS, _end_now)
    timer.daemon = True
    timer.start()


def _end_now() -> None:
    """All processes of the pool say where they stand and end. What they had claimed is due again when the leases end."""
    faulthandler.dump_traceback(all_threads=True)
    for child in billiard.active_children():
        if child.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGUSR2)
    time.sleep(_LAST_WORDS_SECONDS)
    os._exit(os.EX_SOFTWARE)  # whoever is left is killed with it

"""What Prometheus reads: this process's own counters, and the queue as PostgreSQL has it, asked at most every 5 s."""

import time
from typing import Any, Final

from django.db import connection, transaction
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from delivery.provider_standing import HEALTH
from notifications.errors import Unavailable
from notifications.executor import in_thread

_KEEP_SECONDS: Final = 5.0
# Both walk the partial indexes that hold open rows only; the time limit bounds even a large backlog.
_LIMIT: Final = "SET LOCAL statement_timeout = '1s'"
_NOTIFICATIONS: Final = """
    SELECT count(*), coalesce(extract(epoch FROM now() - min(available_at)), 0)::float8
      FROM notifications_notification WHERE available_at IS NOT NULL"""
_DELIVERIES: Final = """
    SELECT state, channel, count(*), coalesce(extract(epoch FROM now() - min(available_at)), 0)::float8
      FROM delivery_delivery WHERE available_at IS NOT NULL GROUP BY state, channel"""

_UP = Gauge("carillon_database_up", "Whether PostgreSQL answered the last look at the queue")
_ACCEPTED = Gauge("carillon_notifications_open", "Accepted notifications that are not routed yet")
_OPEN = Gauge("carillon_deliveries_open", "Deliveries that have not ended", ["channel", "state"])
_OLDEST = Gauge("carillon_oldest_due_age_seconds", "How long the oldest due row has waited", ["stage"])
_PAUSED = Gauge("carillon_provider_paused", "1: passed over until a probe works", ["channel", "provider"])
_FAILURES = Gauge("carillon_provider_consecutive_failures", "Pauses without a success between", ["channel", "provider"])

_looked_at = float("-inf")


async def exposition() -> tuple[bytes, str]:
    """The text and its content type."""
    global _looked_at
    now = time.monotonic()
    if now - _looked_at >= _KEEP_SECONDS:
        _looked_at = now
        await _look()
    return generate_latest(), CONTENT_TYPE_LATEST


async def _look() -> None:
    try:
        (waiting, age), deliveries, providers = await in_thread(_read)
    except Unavailable:
        _UP.set(0)
        return
    _UP.set(1)
    _ACCEPTED.set(waiting)
    _PAUSED.clear()
    _FAILURES.clear()
    for channel, provider, paused, failures in providers:
        _PAUSED.labels(channel, provider).set(paused)
        _FAILURES.labels(channel, provider).set(failures)
    _OPEN.clear()
    ages: dict[str, float] = {}
    for state, channel, count, oldest in deliveries:
        _OPEN.labels(channel, state).set(count)
        ages[channel] = max(ages.get(channel, 0.0), oldest)
    _OLDEST.clear()
    _OLDEST.labels("route").set(max(0.0, age))
    for channel, oldest in ages.items():
        _OLDEST.labels(channel).set(oldest)


def _read() -> tuple[Any, list[Any], list[Any]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LIMIT)
        cursor.execute(_NOTIFICATIONS)
        notifications = cursor.fetchone()
        cursor.execute(_DELIVERIES)
        deliveries = cursor.fetchall()
        cursor.execute(HEALTH)
        return notifications, deliveries, cursor.fetchall()

"""What Prometheus reads: this process's own counters, and the platform as PostgreSQL has it, asked at most every 5 s.

Each question has a bound on its cost. The oldest due row is an index look-up per channel, so that the best alarm of all works
however long the backlog is; counting a backlog of millions may take too long, then the counts are left out.
"""

import time
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import OperationalError, connection, transaction
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from delivery.due import oldest_by_stage
from delivery.heartbeats import READ, Pulse, read_pulses
from delivery.provider_standing import HEALTH
from notifications.errors import Unavailable
from notifications.executor import in_thread

_KEEP_SECONDS: Final = 5.0
_LIMIT: Final = "SET LOCAL statement_timeout = '1s'"
_COUNT_NOTIFICATIONS: Final = "SELECT count(*) FROM notifications_notification WHERE available_at IS NOT NULL"
_COUNT_DELIVERIES: Final = """
    SELECT state, channel, count(*) FROM delivery_delivery WHERE available_at IS NOT NULL GROUP BY state, channel"""
_OLDEST_DUE: Final = f"""
    SELECT stage, greatest(0, extract(epoch FROM now() - oldest))::float8 FROM ({oldest_by_stage()}) AS open_stages"""  # noqa: S608 - composed of our own text
_LAWS: Final = "SELECT law, broken, extract(epoch FROM now() - checked_at)::float8 FROM delivery_lawcheck"

_UP = Gauge("carillon_database_up", "Whether PostgreSQL answered the last look at the queue")
_ACCEPTED = Gauge("carillon_notifications_open", "Accepted notifications that are not routed yet")
_OPEN = Gauge("carillon_deliveries_open", "Deliveries that have not ended", ["channel", "state"])
_OLDEST = Gauge("carillon_oldest_due_age_seconds", "How long the oldest due row has waited", ["stage"])
_PROCESSES = Gauge(
    "carillon_processes", "Processes by their heartbeats: alive, or silent for too long", ["role", "state"]
)
_BROKEN = Gauge("carillon_law_violations", "Rows of the last hour that break a law of conservation", ["law"])
_CHECKED = Gauge("carillon_law_check_age_seconds", "How long ago the laws were last looked at")
_PAUSED = Gauge("carillon_provider_paused", "1: passed over until a probe works", ["channel", "provider"])
_FAILURES = Gauge("carillon_provider_consecutive_failures", "Pauses without a success between", ["channel", "provider"])

_looked_at = float("-inf")


@dataclass(frozen=True, slots=True)
class _Look:
    """None: took longer than its bound."""

    notifications: list[tuple[int]] | None
    deliveries: list[tuple[str, str, int]] | None
    oldest: list[tuple[str, float]] | None
    pulses: dict[str, Pulse]
    laws: list[tuple[str, int, float]]
    providers: list[tuple[str, str, int, int]]


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
        look = await in_thread(_read)
    except Unavailable:
        _UP.set(0)
        return
    _UP.set(1)
    _ACCEPTED.set(look.notifications[0][0] if look.notifications else float("nan"))
    _PAUSED.clear()
    _FAILURES.clear()
    for channel, provider, paused, failures in look.providers:
        _PAUSED.labels(channel, provider).set(paused)
        _FAILURES.labels(channel, provider).set(failures)
    _OPEN.clear()
    for state, channel, count in look.deliveries or ():
        _OPEN.labels(channel, state).set(count)
    _OLDEST.clear()
    for stage, age in look.oldest or ():
        _OLDEST.labels(stage).set(age)
    for role, pulse in look.pulses.items():
        _PROCESSES.labels(role, "alive").set(pulse.alive)
        _PROCESSES.labels(role, "silent").set(pulse.silent)
    _BROKEN.clear()
    for law, broken, _ in look.laws:
        _BROKEN.labels(law).set(broken)
    _CHECKED.set(max((age for *_, age in look.laws), default=float("nan")))


def _read() -> _Look:
    channels = sorted({"in_app", *settings.CARILLON_NOTIFICATIONS.channels})
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # away is away; from here on it is a matter of time limits
    return _Look(
        notifications=_bounded(_COUNT_NOTIFICATIONS),
        deliveries=_bounded(_COUNT_DELIVERIES),
        oldest=_bounded(_OLDEST_DUE, channels),
        pulses=read_pulses(_bounded(READ) or ()),
        laws=_bounded(_LAWS) or [],
        providers=_bounded(HEALTH) or [],
    )


def _bounded(sql: str, *values: Any) -> list[Any] | None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LIMIT)
            cursor.execute(sql, values)
            return list(cursor.fetchall())
    except OperationalError:
        return None

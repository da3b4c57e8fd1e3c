"""Is anything stuck? What the dashboard asks the database and the broker, each question with a bound on its cost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from celery import current_app
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from redis import Redis, RedisError

from delivery.due import oldest_by_stage
from delivery.heartbeats import READ, Pulse, read_pulses
from delivery.models import Delivery, LawCheck, Provider
from delivery.states import OPEN, State
from deploy.admin import when
from deploy.admin.filters import OVERDUE
from notifications.models import Endpoint, Notification

_BOUND: Final = "2s"
_ENOUGH: Final = 10_001
_OLDEST: Final = f"SELECT min(oldest) FROM ({oldest_by_stage()}) AS open_stages"  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Standing:
    """What is open, what is overdue, what failed. None: the question took too long to answer."""

    overdue_deliveries: int | None
    overdue_notifications: int | None
    oldest: datetime | None
    waiting: list[dict[str, Any]]
    hour: dict[str, int] | None
    day: dict[str, int] | None
    failures: list[dict[str, Any]] | None
    disabled_endpoints: int | None
    paused_providers: int | None
    queued_wake_ups: int | None
    last_finished: datetime | None
    pulses: dict[str, Pulse] | None
    broken_laws: list[str]


def read_standing() -> Standing:
    """The answers as of now."""
    return Standing(
        overdue_deliveries=_bounded(lambda: _overdue(Delivery.objects)),
        overdue_notifications=_bounded(lambda: _overdue(Notification.objects)),
        oldest=_bounded(_oldest),
        waiting=_bounded(_waiting) or [],
        hour=_bounded(lambda: _states_since(timedelta(hours=1))),
        day=_bounded(lambda: _states_since(timedelta(days=1))),
        failures=_bounded(_failures),
        disabled_endpoints=_bounded(lambda: Endpoint.objects.filter(state=Endpoint.State.DISABLED)[:_ENOUGH].count()),
        paused_providers=_bounded(
            lambda: Provider.objects.filter(enabled=True, state=Provider.State.PAUSED)[:_ENOUGH].count()
        ),
        queued_wake_ups=_queued_wake_ups(),
        last_finished=_bounded(_last_finished),
        pulses=_bounded(_pulses),
        broken_laws=_bounded(_broken_laws) or [],
    )


def _bounded(question: Any) -> Any:
    """The answer, or None when PostgreSQL needs longer than the bound: the page must open when things are bad."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_BOUND])
            return question()
    except OperationalError:
        return None


def _overdue(rows: Any) -> int:
    return int(rows.filter(available_at__lt=Now() - OVERDUE)[:_ENOUGH].count())


def _oldest() -> datetime | None:
    """The earliest time at which something open should have been looked at."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST, [sorted(settings.CARILLON_NOTIFICATIONS.channels)])
        found = cursor.fetchone()
    return found[0] if found else None


def _waiting() -> list[Any]:
    """Open deliveries by channel and state."""
    rows = (
        Delivery.objects.filter(available_at__isnull=False, state__in=sorted(OPEN))
        .order_by("channel", "state")
        .values("channel", "state")
        .annotate(count=Count("id"), oldest=Min("available_at"))
    )
    return [dict(row) for row in rows]


def _states_since(span: timedelta) -> dict[str, int]:
    rows = Delivery.objects.filter(id__gte=when.since(span)).order_by().values_list("state").annotate(Count("id"))
    return dict(rows)


def _failures() -> list[Any]:
    """Why deliveries of the last day failed or are being retried, most frequent first."""
    rows = (
        Delivery.objects.filter(id__gte=when.since(timedelta(days=1)))
        .filter(Q(state__in=[State.FAILED, State.EXPIRED]) | (Q(state=State.RETRYING) & ~Q(reason="")))
        .order_by()
        .values("channel", "state", "reason")
        .annotate(count=Count("id"))
        .order_by("-count")[:8]
    )
    return [dict(row) for row in rows]


def _last_finished() -> datetime | None:
    """When the newest of the recently made deliveries came to its end."""
    recent = Delivery.objects.order_by("-id").values_list("finished_at", flat=True)[:200]
    return max((moment for moment in recent if moment is not None), default=None)


def _pulses() -> dict[str, Pulse]:
    """Who is at work."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return read_pulses(cursor.fetchall())


def _broken_laws() -> list[str]:
    """The laws that the last inspection found broken."""
    return list(LawCheck.objects.filter(broken__gt=0).order_by("law").values_list("law", flat=True))


def _queued_wake_ups() -> int | None:
    """Celery messages nobody has taken yet; None when the broker does not answer or is not Redis."""
    options = current_app.conf.broker_transport_options or {}
    queue = f"{options.get('global_keyprefix', '')}{current_app.conf.task_default_queue}"
    if not str(settings.BROKER_URL).startswith("redis"):
        return None
    try:
        with Redis.from_url(settings.REDIS_URLS[0], socket_timeout=0.5, socket_connect_timeout=0.5) as client:
            return int(client.llen(queue))
    except RedisError:
        return None

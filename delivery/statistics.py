"""What a project sent in a time, counted: notifications by status; deliveries by channel, state, reason and how long they took."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction

from delivery.selectors import CLOCK_DIFFERENCE, first_id_at
from delivery.states import State
from notifications.errors import Fault, Invalid
from notifications.models import Notification

_LIMIT: Final = "8s"
_WITHIN: Final = """
     WHERE project_id = %(project)s AND id >= %(first)s AND id < %(last)s AND created_at >= %(since)s AND created_at < %(until)s"""
_NOTIFICATIONS: Final = f"SELECT status, count(*) FROM notifications_notification {_WITHIN} GROUP BY status"  # noqa: S608 - composed of our own text
_DELIVERIES: Final = f"""
    SELECT channel, state, CASE WHEN state IN ('failed', 'suppressed', 'expired', 'cancelled') THEN reason ELSE '' END AS why,
           count(*), sum(attempt_count)
      FROM delivery_delivery {_WITHIN} GROUP BY channel, state, why"""  # noqa: S608 - composed of our own text
_TOOK: Final = f"""
    SELECT channel, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - created_at))
      FROM delivery_delivery {_WITHIN} AND state IN ('sent', 'delivered') GROUP BY channel"""  # noqa: S608 - composed of our own text


@dataclass(slots=True)
class ChannelCounts:
    """One channel's deliveries. `p50_seconds` and `p95_seconds`: from routing to the end, of what arrived; None: nothing did."""

    channel: str
    states: dict[str, int]
    reasons: dict[str, int]
    attempts: int = 0
    p50_seconds: float | None = None
    p95_seconds: float | None = None

    @property
    def count(self) -> int:
        return sum(self.states.values())


def count_sent(*, project_id: UUID, since: datetime, until: datetime) -> tuple[dict[str, int], list[ChannelCounts]]:
    """Notifications by status, and every channel's deliveries; made at or after `since`, before `until`.

    Raises `Invalid` when that is too much to count in a few seconds.
    """
    values = {
        "project": project_id,
        "since": since,
        "until": until,
        "first": first_id_at(since - CLOCK_DIFFERENCE),
        "last": first_id_at(until + CLOCK_DIFFERENCE),
    }
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_LIMIT])
            notifications, deliveries, took = (
                _rows(cursor, sql, values) for sql in (_NOTIFICATIONS, _DELIVERIES, _TOOK)
            )
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "57014":  # query_canceled
            raise
        raise Invalid(
            [Fault("/since", "Too much was sent in that time to be counted at once; ask for less.")]
        ) from error
    statuses = dict.fromkeys((status.value for status in Notification.Status), 0) | dict(notifications)
    return statuses, _by_channel(deliveries, dict(took))


def _rows(cursor: Any, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    cursor.execute(sql, values)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _by_channel(deliveries: list[tuple[Any, ...]], took: dict[str, list[float]]) -> list[ChannelCounts]:
    found: dict[str, ChannelCounts] = {}
    for channel, state, reason, count, attempts in sorted(deliveries):
        counts = found.setdefault(channel, ChannelCounts(channel, dict.fromkeys((s.value for s in State), 0), {}))
        counts.states[state] += count
        counts.attempts += attempts
        if reason:
            counts.reasons[reason] = counts.reasons.get(reason, 0) + count
    for channel, (p50, p95) in took.items():
        found[channel].p50_seconds, found[channel].p95_seconds = p50, p95
    return list(found.values())

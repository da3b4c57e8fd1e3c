"""Forgetting: what ended long ago goes, notification by notification with its deliveries, attempts and reports.

A notification goes as a whole or not at all, so the laws of conservation (`laws.py`) hold at every instant. It stays while anything of it is open,
ended lately, or still stands in somebody's inbox, whose messages have an age of their own. Why rows and not partitions: ADR 4.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from delivery.laws import SINCE_EVER
from delivery.selectors import first_id_at
from notifications.clock import utc_now

_LOOKED_AT_ONCE: Final = 500
_DELETED_AT_ONCE: Final = 5_000

# An id tells its age, so old rows are read in the order of the primary key and no index is kept for this.
_OLD: Final = """
    SELECT n.id, n.status <> 'accepted' AND coalesce(n.routed_at, n.created_at) < %(before)s AND NOT EXISTS (
               SELECT FROM delivery_delivery d WHERE d.notification_id = n.id AND (
                   d.available_at IS NOT NULL OR d.finished_at >= %(before)s
                   OR EXISTS (SELECT FROM notifications_inboxmessage m WHERE m.delivery_id = d.id)))
           AND NOT EXISTS (SELECT FROM delivery_run u WHERE u.notification_id = n.id
                              AND (u.available_at IS NOT NULL OR u.finished_at >= %(before)s))
           AND NOT EXISTS (SELECT FROM schedules_digestitem i JOIN delivery_run u ON u.digest_id = i.digest_id
                            WHERE i.notification_id = n.id AND u.available_at IS NOT NULL)
      FROM notifications_notification n
     WHERE n.id > %(after)s AND n.id < %(first_kept)s ORDER BY n.id LIMIT %(limit)s"""
# Looked at again under their locks: a replay may have come between. In the order in which outcomes are written.
_LOCK: Final = """
    SELECT d.id, d.notification_id, d.available_at IS NULL AND d.finished_at < %(before)s
      FROM delivery_delivery d WHERE d.notification_id = ANY(%(ids)s) ORDER BY d.id LIMIT %(limit)s FOR UPDATE"""
_DELETE: Final = (
    "DELETE FROM delivery_deliveryevent WHERE delivery_id = ANY(%s)",
    "DELETE FROM delivery_attempt WHERE delivery_id = ANY(%s)",
    "DELETE FROM delivery_delivery WHERE id = ANY(%s)",
)
_DELETE_RUNS: Final = "DELETE FROM delivery_run WHERE notification_id = ANY(%s) AND available_at IS NULL"
_DELETE_ITEMS: Final = """
    WITH gone AS (DELETE FROM schedules_digestitem WHERE notification_id = ANY(%s) RETURNING digest_id, removed_at)
    UPDATE schedules_digest d SET count = d.count - g.n
      FROM (SELECT digest_id, count(*) FILTER (WHERE removed_at IS NULL) AS n FROM gone GROUP BY digest_id) AS g
     WHERE d.id = g.digest_id RETURNING d.id"""
_DELETE_DIGESTS: Final = """
    DELETE FROM schedules_digest d WHERE id = ANY(%s) AND closed_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM schedules_digestitem i WHERE i.digest_id = d.id)"""
_DELETE_NOTIFICATIONS: Final = """
    DELETE FROM notifications_notification n WHERE id = ANY(%s) AND status <> 'accepted'
       AND NOT EXISTS (SELECT FROM delivery_delivery d WHERE d.notification_id = n.id)"""


def forget_history(*, days: int, after: UUID = SINCE_EVER, looks: int = 100) -> tuple[int, UUID]:
    """Delete what ended more than `days` ago, looking at a bounded number of notifications from `after` on.

    Returns how many notifications went, and from where to go on next time; that is the beginning once the end was reached.
    """
    before = utc_now() - timedelta(days=days)
    gone = 0
    for _ in range(looks):
        seen, ended = _look(before, after)
        gone += _forget(ended, before)
        if len(seen) < _LOOKED_AT_ONCE:
            return gone, SINCE_EVER
        after = seen[-1]
    return gone, after


def _look(before: datetime, after: UUID) -> tuple[list[UUID], list[UUID]]:
    """The next old notifications, and those of them of which nothing is needed any more."""
    values: dict[str, Any] = {
        "before": before,
        "after": after,
        "first_kept": first_id_at(before),
        "limit": _LOOKED_AT_ONCE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OLD, values)
        rows = cursor.fetchall()
    return [row[0] for row in rows], [row[0] for row in rows if row[1]]


def _forget(notification_ids: list[UUID], before: datetime) -> int:
    """Delete these, some thousand deliveries in a transaction; how many went."""
    left = set(notification_ids)
    while left:
        with transaction.atomic(), connection.cursor() as cursor:
            rows = _locked(cursor, left, before)
            left -= {notification_id for _, notification_id, is_over in rows if not is_over}
            deliveries = [delivery_id for delivery_id, notification_id, _ in rows if notification_id in left]
            for statement in _DELETE:
                cursor.execute(statement, [deliveries])
            if len(rows) < _DELETED_AT_ONCE:
                return _forget_whole(cursor, list(left))
    return 0


def _forget_whole(cursor: Any, notification_ids: list[UUID]) -> int:
    """Delete what is left once the deliveries have gone; how many notifications went."""
    cursor.execute(_DELETE_RUNS, [notification_ids])
    cursor.execute(_DELETE_ITEMS, [notification_ids])
    cursor.execute(_DELETE_DIGESTS, [[row[0] for row in cursor.fetchall()]])
    cursor.execute(_DELETE_NOTIFICATIONS, [notification_ids])
    return int(cursor.rowcount)


def _locked(cursor: Any, notification_ids: set[UUID], before: datetime) -> list[tuple[UUID, UUID, bool]]:
    cursor.execute(_LOCK, {"ids": list(notification_ids), "before": before, "limit": _DELETED_AT_ONCE})
    rows: list[tuple[UUID, UUID, bool]] = cursor.fetchall()
    return rows

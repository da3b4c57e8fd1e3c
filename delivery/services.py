"""What operators and callers do to deliveries: retry one, replay many, cancel what has not gone out.

Each change is one statement that names the states it may change beside the rows it may change, so that whoever had to wait
for a row's lock decides by what the row has become meanwhile: of a claim, a finish, a cancellation and an expiry one wins.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet

from delivery.models import Delivery, Run
from delivery.states import CANCELLABLE, REPLAYABLE, RETRYABLE, State
from delivery.status_events.recording import (
    DELIVERY_COLUMNS,
    NOTIFICATION_COLUMNS,
    delivery_facts,
    notification_facts,
    recording,
)
from notifications.errors import Conflict, NotFound
from notifications.models import Notification
from schedules.models import DigestItem

_REPLAY: Final = """
    UPDATE delivery_delivery SET state = 'queued', reason = '', retry_step = 0, claims = 0, lease_token = NULL,
           finished_at = NULL, expires_at = NULL, available_at = now(), replayed_at = now()
     WHERE state = ANY(%s) AND id IN ({rows})"""
_CANCELLED: Final = """
    d.state = ANY(%s) AND d.id IN ({rows})
           -- A digest speaks for others as well.
           AND (d.digest_id IS NULL OR NOT EXISTS (
                SELECT FROM delivery_delivery other WHERE other.digest_id = d.digest_id AND other.notification_id <> d.notification_id))"""
_CANCEL: Final = f"""
    WITH cancelled AS (
        UPDATE delivery_delivery d SET state = 'cancelled', reason = 'cancelled_by_caller', available_at = NULL,
               lease_token = NULL, finished_at = now()
         WHERE {_CANCELLED}
        RETURNING {DELIVERY_COLUMNS}),
    {recording(delivery_facts("cancelled")).replace("{", "{{").replace("}", "}}")}
    SELECT FROM cancelled"""  # noqa: S608 - composed of our own text
# Places under frequency caps: each was taken for the moment at which its delivery may go. Nothing is known of one that was tried.
_GIVE_BACK: Final = f"""
    WITH untried AS (
        SELECT d.recipient_id, d.channel, d.notification_id, d.available_at AS at FROM delivery_delivery d
         WHERE {_CANCELLED} AND d.claims = 0 AND d.attempt_count = 0 AND NOT d.critical
           AND EXISTS (SELECT FROM schedules_slotlog l WHERE l.recipient_id = d.recipient_id) ORDER BY d.id FOR UPDATE),
    freed AS (
        SELECT u.recipient_id, k.key, u.at, count(*) AS n FROM untried u JOIN notifications_notification o ON o.id = u.notification_id
         CROSS JOIN LATERAL (VALUES ('channels:' || u.channel), ('categories:' || o.category)) AS k (key) GROUP BY 1, 2, 3),
    held AS (
        SELECT l.recipient_id, l.key, l.times FROM schedules_slotlog l
         WHERE (l.recipient_id, l.key) IN (SELECT recipient_id, key FROM freed) ORDER BY 1, 2 FOR UPDATE)
    UPDATE schedules_slotlog l
       SET times = ARRAY(SELECT t FROM (SELECT t, row_number() OVER (PARTITION BY t) AS n FROM unnest(held.times) AS t) AS place
                          WHERE NOT EXISTS (SELECT FROM freed f WHERE f.recipient_id = l.recipient_id AND f.key = l.key
                                               AND f.at = place.t AND place.n <= f.n) ORDER BY t)
      FROM held WHERE l.recipient_id = held.recipient_id AND l.key = held.key"""  # noqa: S608 - composed of our own text
_CANCEL_NOTIFICATIONS: Final = f"""
    WITH cancelled AS (
        UPDATE notifications_notification o SET status = 'cancelled', reason = 'cancelled_by_caller', available_at = NULL,
               lease_token = NULL
         WHERE o.status = 'accepted' AND o.id = ANY(%s)
        RETURNING {NOTIFICATION_COLUMNS}),
    {recording(notification_facts("cancelled"))}
    SELECT FROM cancelled"""  # noqa: S608 - composed of our own text


_CANCEL_RUNS: Final = """
    UPDATE delivery_run SET state = 'cancelled', reason = 'cancelled_by_caller', available_at = NULL, finished_at = now()
     WHERE notification_id = ANY(%s) AND digest_id IS NULL AND state = 'waiting'"""
# Out of every digest that has not gone out yet: it is still open, or its walk waits at a later step.
_LEAVE_DIGESTS: Final = """
    WITH open AS (
        SELECT d.id FROM schedules_digest d
         WHERE d.id IN (SELECT digest_id FROM schedules_digestitem WHERE notification_id = ANY(%(ids)s) AND removed_at IS NULL)
           AND (d.closed_at IS NULL OR EXISTS (SELECT FROM delivery_run u WHERE u.digest_id = d.id AND u.state = 'waiting'))
         ORDER BY d.id FOR UPDATE),
    gone AS (
        UPDATE schedules_digestitem i SET removed_at = now(), removed_reason = 'cancelled_by_caller' FROM open
         WHERE i.digest_id = open.id AND i.notification_id = ANY(%(ids)s) AND i.removed_at IS NULL RETURNING i.digest_id),
    counted AS (
        UPDATE schedules_digest d SET count = d.count - g.n
          FROM (SELECT digest_id, count(*) AS n FROM gone GROUP BY digest_id) AS g WHERE d.id = g.digest_id)
    SELECT count(*) FROM gone"""


def retry_delivery(*, delivery_id: UUID, project_id: UUID | None = None) -> Delivery:
    """Send one finished delivery on its way once more, with a fresh retry schedule.

    Raises `NotFound` (also for another project's delivery) and `Conflict` when its state does not allow it. The caller rings the bell.
    """
    with transaction.atomic():
        rows = _in_project(Delivery.objects.select_for_update(), project_id)
        delivery = rows.filter(id=delivery_id).first()
        if delivery is None:
            raise NotFound
        if State(delivery.state) not in RETRYABLE:
            raise Conflict(f"A delivery that is {delivery.state} cannot be retried.")
        replay(Delivery.objects.filter(id=delivery_id))
        delivery.refresh_from_db()
    return delivery


def replay(deliveries: QuerySet[Delivery]) -> int:
    """Put finished deliveries back in the queue; how many were. Rows in other states stay as they are."""
    return requeue(deliveries, RETRYABLE)


def requeue(deliveries: QuerySet[Delivery], states: Iterable[State] = REPLAYABLE) -> int:
    """Put these back in the queue with a fresh retry schedule, those in other states excepted; how many were."""
    return _change(_REPLAY, deliveries, states)


@transaction.atomic
def cancel(deliveries: QuerySet[Delivery]) -> int:
    """Stop open deliveries for good; how many were. One that is being sent wins over its cancellation. What frequency caps
    counted them for is free again."""
    _change(_GIVE_BACK, deliveries, CANCELLABLE)
    return _change(_CANCEL, deliveries, CANCELLABLE)


def cancel_notifications(notifications: QuerySet[Notification]) -> int:
    """Stop routing of these notifications, their walks through workflows and every delivery that is not being sent right now,
    and take them out of digests that have not gone out; how many deliveries, walks and items there were."""
    with transaction.atomic():
        locked = list(notifications.select_for_update().order_by("id").values_list("id", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(_CANCEL_NOTIFICATIONS, [locked])
            cursor.execute(_CANCEL_RUNS, [locked])
            walks = int(cursor.rowcount)
            cursor.execute(_LEAVE_DIGESTS, {"ids": locked})
            (items,) = cursor.fetchone()
        return cancel_deliveries(locked) + walks + int(items)


def cancel_notification(*, notification_id: UUID, project_id: UUID | None = None) -> int:
    """Cancel one notification. Raises `NotFound`, or `Conflict` when nothing of it can be stopped any more."""
    found = Notification.objects.filter(id=notification_id)
    if project_id is not None:
        found = found.filter(project_id=project_id)
    status = found.values_list("status", flat=True).first()
    if status is None:
        raise NotFound
    cancelled = cancel_notifications(found)
    if not cancelled and not _is_cancelled(found):
        raise Conflict("Everything of this notification has already gone out.")
    return cancelled


def cancel_deliveries(notification_ids: Iterable[UUID]) -> int:
    """Cancel what is still open of these notifications."""
    return cancel(Delivery.objects.filter(notification_id__in=list(notification_ids)))


def _is_cancelled(found: QuerySet[Notification]) -> bool:
    """Whether an earlier request has stopped something of it: to ask for that again is no conflict."""
    return (
        found.filter(status=Notification.Status.CANCELLED).exists()
        or Delivery.objects.filter(notification__in=found, state=State.CANCELLED).exists()
        or Run.objects.filter(notification__in=found, state=Run.State.CANCELLED).exists()
        or DigestItem.objects.filter(notification__in=found, removed_at__isnull=False).exists()
    )


def _change(statement: str, deliveries: QuerySet[Delivery], states: Iterable[State]) -> int:
    """Run `statement` on those of `deliveries` that are in one of `states`; how many it changed."""
    asked = deliveries.filter(state__in=states).order_by().values("id")
    try:
        rows, values = asked.query.sql_with_params()
    except EmptyResultSet:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(statement.format(rows=rows), [sorted(states), *values])
        return int(cursor.rowcount)


def _in_project(deliveries: QuerySet[Delivery], project_id: UUID | None) -> QuerySet[Delivery]:
    return deliveries if project_id is None else deliveries.filter(project_id=project_id)

"""What operators and callers do to deliveries: retry one, replay many, cancel what has not gone out."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from delivery.models import Delivery
from delivery.states import CANCELLABLE, REPLAYABLE, RETRYABLE, State
from notifications.errors import Conflict, NotFound
from notifications.models import Notification


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
    return requeue(deliveries.filter(state__in=RETRYABLE))


def requeue(deliveries: QuerySet[Delivery]) -> int:
    """Put these back in the queue with a fresh retry schedule, open ones excepted; how many were. The caller chose the end states."""
    return deliveries.filter(state__in=REPLAYABLE).update(
        state=State.QUEUED,
        reason="",
        retry_step=0,
        claims=0,
        finished_at=None,
        expires_at=None,
        available_at=Now(),
        replayed_at=Now(),
    )


def cancel(deliveries: QuerySet[Delivery]) -> int:
    """Stop open deliveries for good; how many were. One that is being sent wins over its cancellation."""
    return deliveries.filter(state__in=CANCELLABLE).update(
        state=State.CANCELLED, reason="cancelled_by_caller", available_at=None, lease_token=None, finished_at=Now()
    )


def cancel_notifications(notifications: QuerySet[Notification]) -> int:
    """Stop routing of these notifications and every delivery that is not being sent right now; how many deliveries."""
    with transaction.atomic():
        locked = list(notifications.select_for_update().order_by("id").values_list("id", flat=True))
        Notification.objects.filter(id__in=locked, status=Notification.Status.ACCEPTED).update(
            status=Notification.Status.CANCELLED, reason="cancelled_by_caller", available_at=None, lease_token=None
        )
        return cancel_deliveries(locked)


def cancel_notification(*, notification_id: UUID, project_id: UUID | None = None) -> int:
    """Cancel one notification. Raises `NotFound`, or `Conflict` when nothing of it can be stopped any more."""
    found = Notification.objects.filter(id=notification_id)
    if project_id is not None:
        found = found.filter(project_id=project_id)
    status = found.values_list("status", flat=True).first()
    if status is None:
        raise NotFound
    cancelled = cancel_notifications(found)
    if not cancelled and not found.filter(status=Notification.Status.CANCELLED).exists():
        raise Conflict("Everything of this notification has already gone out.")
    return cancelled


def cancel_deliveries(notification_ids: Iterable[UUID]) -> int:
    """Cancel what is still open of these notifications."""
    return cancel(Delivery.objects.filter(notification_id__in=list(notification_ids)))


def _in_project(deliveries: QuerySet[Delivery], project_id: UUID | None) -> QuerySet[Delivery]:
    return deliveries if project_id is None else deliveries.filter(project_id=project_id)

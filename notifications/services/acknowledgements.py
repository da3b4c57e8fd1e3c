"""Saying that somebody takes care: what escalates stops escalating."""

from uuid import UUID

from django.db.models.functions import Now

from notifications.errors import NotFound
from notifications.models import Notification


def acknowledge(
    *,
    notification_id: UUID,
    project_id: UUID | None = None,
    external_id: str | None = None,
) -> Notification:
    """Note who takes care of it; the first who says so stays. Raises `NotFound`.

    By the caller's id of a recipient, or by nobody in particular. Inboxes are `notifications/inbox/acknowledging.py`'s.
    """
    found = Notification.objects.filter(id=notification_id)
    if project_id is not None:
        found = found.filter(project_id=project_id)
    found.filter(acknowledged_at=None).update(acknowledged_at=Now(), acknowledged_by=external_id)
    notification = found.first()
    if notification is None:
        raise NotFound
    return notification

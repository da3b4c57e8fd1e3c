"""A test webhook: a delivery like any other, made for one endpoint past all routing."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from delivery.models import Delivery, EndpointTrouble
from delivery.states import State
from notifications.errors import Conflict
from notifications.event_types import PING
from notifications.models import Endpoint, Notification
from notifications.services.endpoints import lock_endpoint

EXPIRES_AFTER: Final = timedelta(minutes=10)
NO_STEP_LEFT: Final = 1000
"""Past the end of every retry schedule: one attempt, then an answer that can be read."""


def release(*, endpoint_id: UUID, project_id: UUID) -> None:
    """Whoever asks for a ping or a replay says that it may work again: an open circuit may be probed now.

    Before the endpoint's row is locked, in the order of those who write outcomes.
    """
    mine = Endpoint.objects.filter(id=endpoint_id, project_id=project_id).values("id")
    EndpointTrouble.objects.filter(endpoint_id__in=mine, held_until__gt=Now()).update(held_until=Now())


@transaction.atomic
def ping_endpoint(*, project_id: UUID, external_id: str, endpoint_id: UUID) -> Delivery:
    """Queue `{"type": "ping", ...}` ahead of everything usual; filters do not apply. The caller rings the bell.

    Raises `NotFound`, or `Conflict` while the endpoint is disabled.
    """
    release(endpoint_id=endpoint_id, project_id=project_id)
    endpoint = lock_endpoint(project_id=project_id, external_id=external_id, endpoint_id=endpoint_id)
    if endpoint.state != Endpoint.State.ENABLED:
        raise Conflict("The endpoint is disabled. Enable it first.")
    notification = Notification.objects.create(
        project_id=project_id,
        status=Notification.Status.ROUTED,
        workflow=PING,
        critical=True,
        recipients=[external_id],
        content={"title": "Ping", "body": "A test of this endpoint.", "action_url": None},
        channels=[endpoint.channel],
        routed_at=Now(),
        available_at=None,
    )
    delivery = Delivery.objects.create(
        project_id=project_id,
        notification=notification,
        recipient=endpoint.recipient,
        channel=endpoint.channel,
        endpoint=endpoint,
        state=State.QUEUED,
        critical=True,
        retry_step=NO_STEP_LEFT,
        available_at=Now(),
        expires_at=Now() + EXPIRES_AFTER,
    )
    delivery.refresh_from_db()
    return delivery

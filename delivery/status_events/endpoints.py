"""Where a project wants to hear of status events: put, read and removed by the caller's own key."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from delivery.models import EventEndpoint, StatusDispatch, StatusEvent
from notifications.errors import Conflict, NotFound
from notifications.models import Project
from notifications.sealing import seal
from notifications.signing_keys import new_secret

MOST_PER_PROJECT: Final = 10


@transaction.atomic
def put_endpoint(
    *, project_id: UUID, key: str, url: str, types: Sequence[str], description: str, state: str
) -> tuple[EventEndpoint, str | None]:
    """The endpoint exactly as given, and its secret in clear when it is new; it is not kept so.

    `url` has passed the address guard. Raises `Conflict` when the project has too many.
    """
    Project.objects.select_for_update(no_key=True).get(id=project_id)  # one after the other, or there would be two
    found = EventEndpoint.objects.select_for_update().filter(project_id=project_id, key=key).first()
    if found is None and EventEndpoint.objects.filter(project_id=project_id).count() >= MOST_PER_PROJECT:
        raise Conflict(f"A project has at most {MOST_PER_PROJECT} event endpoints.")
    secret = new_secret() if found is None else None
    endpoint = found or EventEndpoint(project_id=project_id, key=key)
    if secret is not None:
        endpoint.sealed_secret = seal(secret)
    if state != endpoint.state:
        endpoint.disabled_reason = "" if state == EventEndpoint.State.ENABLED else "disabled_by_caller"
    endpoint.url, endpoint.types, endpoint.description, endpoint.state = url, list(types), description, state
    endpoint.save()
    endpoint.refresh_from_db(fields=["created_at"])
    return endpoint, secret


def endpoints_of(project_id: UUID) -> QuerySet[EventEndpoint]:
    """All of a project."""
    return EventEndpoint.objects.filter(project_id=project_id)


def get_endpoint(*, project_id: UUID, key: str) -> EventEndpoint:
    """One. Raises `NotFound`."""
    found = endpoints_of(project_id).filter(key=key).first()
    if found is None:
        raise NotFound
    return found


def delete_endpoint(*, project_id: UUID, key: str) -> None:
    """Remove it with what it was still to be told. Raises `NotFound`."""
    if not endpoints_of(project_id).filter(key=key).delete()[0]:
        raise NotFound


def events_of(project_id: UUID) -> QuerySet[StatusEvent]:
    """The log of a project's events, each with how its telling goes."""
    told = Prefetch("dispatches", StatusDispatch.objects.select_related("endpoint").order_by("endpoint_id"))
    return StatusEvent.objects.filter(project_id=project_id).select_related("recipient").prefetch_related(told)


def get_event(*, project_id: UUID, event_id: UUID) -> StatusEvent:
    """One event. Raises `NotFound`."""
    found = events_of(project_id).filter(id=event_id).first()
    if found is None:
        raise NotFound
    return found

"""Sending again what has ended, many at a time and never without a bound.

A delivery keeps its id, so a receiver sees the `webhook-id` it may know. Only rows in an end state are touched: what is open is
on its way already, so a repeated or concurrent replay finds nothing left to do until the first one's outcome is there. The
rows are locked in order of their ids; who changed one meanwhile is waited for, and the state is looked at again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from delivery import selectors
from delivery.models import Delivery
from delivery.pings import release
from delivery.services import requeue
from delivery.states import RETRYABLE, State
from notifications.errors import Conflict
from notifications.models import Endpoint
from notifications.services.endpoints import lock_endpoint

MOST: Final = 10_000
"""How many one call may put back; a statement of this size takes well under a second."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many went back into the queue, and after which delivery to go on, if there may be more."""

    count: int
    after: UUID | None


@transaction.atomic
def replay_filtered(
    *,
    project_id: UUID,
    wanted: selectors.Filter,
    states: Iterable[State] = RETRYABLE,
    limit: int = MOST,
    after: UUID | None = None,
) -> Replayed:
    """Queue up to `limit` of the deliveries that match, oldest first, beginning behind `after`. The caller rings the bell."""
    rows = selectors.find_deliveries(project_id=project_id, wanted=wanted).filter(state__in=frozenset(states))
    if after is not None:
        rows = rows.filter(id__gt=after)
    locked = rows.select_for_update(of=("self",), no_key=True).order_by("id")
    found = list(locked.values_list("id", flat=True)[:limit])
    count = requeue(Delivery.objects.filter(id__in=found))
    return Replayed(count, found[-1] if len(found) == limit else None)


@transaction.atomic
def replay_endpoint(
    *, project_id: UUID, external_id: str, endpoint_id: UUID, wanted: selectors.Filter, **options: Any
) -> Replayed:
    """The same for one endpoint. Raises `NotFound`, or `Conflict` while it is disabled: everything would fail at once."""
    release(endpoint_id=endpoint_id, project_id=project_id)
    endpoint = lock_endpoint(project_id=project_id, external_id=external_id, endpoint_id=endpoint_id)
    if endpoint.state != Endpoint.State.ENABLED:
        raise Conflict("The endpoint is disabled. Enable it first.")
    return replay_filtered(project_id=project_id, wanted={**wanted, "endpoint": endpoint_id}, **options)

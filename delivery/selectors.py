"""Reads of deliveries: lists by filter, one with its attempts, counts per state."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypedDict
from uuid import UUID

from django.db.models import Count, QuerySet

from delivery.models import Delivery
from delivery.states import State
from notifications.errors import NotFound
from notifications.models import Notification

_RECENT: Final = 200
# Ids carry the clock of the process that made them, `created_at` the database's.
CLOCK_DIFFERENCE: Final = timedelta(hours=1)


class Filter(TypedDict, total=False):
    """Which deliveries of a project; `recipient` is the caller's id, `since` is included, `until` is not."""

    state: str
    channel: str
    recipient: str
    endpoint: UUID
    since: datetime
    until: datetime


def find_deliveries(*, project_id: UUID, wanted: Filter) -> QuerySet[Delivery]:
    """The deliveries that match everything given."""
    found = Delivery.objects.filter(project_id=project_id)
    if "state" in wanted:
        found = found.filter(state=wanted["state"])
    if "channel" in wanted:
        found = found.filter(channel=wanted["channel"])
    if "recipient" in wanted:
        found = found.filter(recipient__external_id=wanted["recipient"])
    if "endpoint" in wanted:
        found = found.filter(endpoint_id=wanted["endpoint"])
    # The bounds on the id let the index by project do the work.
    if "since" in wanted:
        found = found.filter(created_at__gte=wanted["since"], id__gte=first_id_at(wanted["since"] - CLOCK_DIFFERENCE))
    if "until" in wanted:
        found = found.filter(created_at__lt=wanted["until"], id__lt=first_id_at(wanted["until"] + CLOCK_DIFFERENCE))
    return found


def deliveries_of(notification_id: UUID) -> QuerySet[Delivery]:
    """All deliveries of one notification."""
    return Delivery.objects.filter(notification_id=notification_id)


def get_delivery(*, project_id: UUID, delivery_id: UUID) -> Delivery:
    """One delivery with recipient, attempts and events. Raises `NotFound`."""
    rows = Delivery.objects.select_related("recipient").prefetch_related("attempts", "events")
    delivery = rows.filter(project_id=project_id, id=delivery_id).first()
    if delivery is None:
        raise NotFound
    return delivery


def count_states(notification_id: UUID) -> Mapping[str, int]:
    """How many deliveries of a notification are in each state, states without any included."""
    counts = dict.fromkeys((state.value for state in State), 0)
    rows = deliveries_of(notification_id).values_list("state").annotate(Count("id")).order_by()
    return counts | dict(rows)


def first_id_at(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond."""
    milliseconds = max(0, int(moment.astimezone(UTC).timestamp() * 1000))
    return UUID(int=min(milliseconds, (1 << 48) - 1) << 80)


def recent_categories(recipient_id: UUID) -> list[str]:
    """The categories of what a recipient got last, each once."""
    recent = Delivery.objects.filter(recipient_id=recipient_id).order_by("-id").values("notification_id")[:_RECENT]
    found = Notification.objects.filter(id__in=recent, category__isnull=False).values_list("category", flat=True)
    return sorted({category for category in found.distinct() if category})

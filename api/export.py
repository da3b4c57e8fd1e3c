"""Everything that is kept of one recipient, as lines of JSON: `{"type": ..., "data": {...}}`, in the shapes of the API.

Read page by page, so an export of any size takes little memory. What changes meanwhile is in it as it was or as it is.
"""

from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

import msgspec
from django.db.models import Model, QuerySet, Value

from api.serializers.deliveries import DeliveryDetailOut
from api.serializers.endpoints import EndpointOut
from api.serializers.notifications import NotificationOut
from api.serializers.recipients import RecipientOut
from api.serializers.schedules import ScheduleOut
from api.serializers.suppressions import SuppressionOut
from api.serializing import shown
from delivery.models import Delivery
from notifications import texts
from notifications.addresses import hash_email
from notifications.executor import in_thread
from notifications.inbox.shapes import message_out
from notifications.models import (
    Endpoint,
    Inbox,
    InboxMessage,
    Notification,
    Recipient,
    RecipientPreferences,
    Subscription,
    Suppression,
)
from schedules.erasing import is_entry_of
from schedules.selectors import schedules_naming

MEDIA_TYPE: Final = "application/x-ndjson"

_PAGE: Final = 200
_encode: Final = msgspec.json.Encoder().encode

Section = tuple[str, Callable[[Recipient], QuerySet[Any]], Callable[[Any], dict[str, Any]]]

_MESSAGE_FIELDS: Final = (
    "id", "offset", "title", "body", "action_url", "category", "actor", "data", "created_at", "seen_at", "read_at",
    "archived_at", "acknowledged_at",
)  # fmt: skip


async def export_lines(recipient: Recipient) -> AsyncGenerator[bytes, None]:
    """The lines, in chunks of whole ones; that of the recipient comes first."""
    yield _line("recipient", shown(RecipientOut, recipient))
    for name, find, out in SECTIONS:
        after: Any = None
        while True:
            text, after = await in_thread(_page, name, find(recipient), out, after)
            if text:
                yield text
            if after is None:
                break


def _page(name: str, rows: QuerySet[Any], out: Callable[[Any], dict[str, Any]], after: Any) -> tuple[bytes, Any]:
    """The lines of one page, and where the next begins; None when there is none."""
    if after is not None:
        rows = rows.filter(pk__gt=after)
    page: list[Model] = list(rows.order_by("pk")[:_PAGE])
    text = b"".join(_line(name, out(row)) for row in page)
    return text, page[-1].pk if len(page) == _PAGE else None


def _line(name: str, data: dict[str, Any]) -> bytes:
    return _encode({"type": name, "data": data}) + b"\n"


def _suppressions(recipient: Recipient) -> QuerySet[Suppression]:
    found = Suppression.objects.filter(project_id=recipient.project_id)
    return found.filter(address_hash=hash_email(recipient.email)) if recipient.email else found.none()


def _deliveries(recipient: Recipient) -> QuerySet[Delivery]:
    found = Delivery.objects.filter(recipient=recipient)
    return found.select_related("recipient").prefetch_related("attempts", "events")


def _notifications(recipient: Recipient) -> QuerySet[Notification]:
    return Notification.objects.filter(id__in=Delivery.objects.filter(recipient=recipient).values("notification_id"))


def _schedules(recipient: Recipient) -> QuerySet[Any]:
    found = schedules_naming(project_id=recipient.project_id, external_id=recipient.external_id)
    return found.annotate(named=Value(recipient.external_id))


def _inbox(inbox: Inbox) -> dict[str, Any]:
    return {"unread": inbox.unread, "unseen": inbox.unseen, "last_seen_at": texts.optional_time(inbox.last_seen_at)}


def _message(message: InboxMessage) -> dict[str, Any]:
    return message_out(**{name: getattr(message, name) for name in _MESSAGE_FIELDS})


def _subscription(row: Subscription) -> dict[str, Any]:
    return {"topic": row.topic.key, "created_at": texts.format_time(row.created_at)}


def _preferences(row: RecipientPreferences) -> dict[str, Any]:
    return {"settings": row.settings, "updated_at": texts.format_time(row.updated_at)}


def _notification(row: Notification) -> dict[str, Any]:
    """Without the others it was for."""
    said = shown(NotificationOut, row)
    return {name: value for name, value in said.items() if name != "recipients"}


def _schedule(row: Any) -> dict[str, Any]:
    """Without the others whom it tells."""
    said = shown(ScheduleOut, row)
    own = [entry for entry in row.notification["recipients"] if is_entry_of(entry, row.named)]
    return {**said, "notification": {**row.notification, "recipients": own}}


SECTIONS: Final[tuple[Section, ...]] = (
    (
        "endpoint",
        lambda who: Endpoint.objects.filter(recipient=who).select_related("recipient"),
        lambda row: shown(EndpointOut, row),
    ),
    ("subscription", lambda who: Subscription.objects.filter(recipient=who).select_related("topic"), _subscription),
    ("preferences", lambda who: RecipientPreferences.objects.filter(recipient=who), _preferences),
    ("suppression", _suppressions, lambda row: shown(SuppressionOut, row)),
    ("inbox", lambda who: Inbox.objects.filter(recipient=who), _inbox),
    ("message", lambda who: InboxMessage.objects.filter(recipient=who, gone_at=None), _message),
    ("schedule", _schedules, _schedule),
    ("notification", _notifications, _notification),
    ("delivery", _deliveries, lambda row: shown(DeliveryDetailOut, row)),
)
"""Type of the line -> the rows, and one in the shape of the API. A table that knows of people belongs in here."""

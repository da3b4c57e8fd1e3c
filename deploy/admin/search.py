"""What an operator types into a search box, turned into look-ups that an index answers."""

from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from delivery.models import Attempt, Delivery
from notifications import ids
from notifications.models import Recipient
from schedules.models import DigestItem

_MOST_RECIPIENTS: Final = 200
_MOST_NOTIFICATIONS: Final = 1000


def as_uuid(prefix: ids.Prefix, term: str) -> UUID | None:
    """The UUID behind a public id of this kind, or None."""
    return ids.decode(prefix, term.strip().lower())


def plain_uuid(term: str) -> UUID | None:
    try:
        return UUID(term.strip())
    except ValueError:
        return None


def recipients(term: str) -> list[UUID]:
    """Recipients whose own id or email is exactly `term`."""
    found = Recipient.objects.filter(Q(external_id=term) | Q(email__iexact=term)).order_by()
    return list(found.values_list("id", flat=True)[:_MOST_RECIPIENTS])


def deliveries(rows: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Deliveries by their own id, their notification's, attempt's or endpoint's, or by recipient."""
    term = term.strip()
    if own := as_uuid("dlv", term):
        return rows.filter(id=own)
    if notification := as_uuid("ntf", term):
        return rows.filter(notification_id=notification)
    if endpoint := as_uuid("end", term):
        return rows.filter(endpoint_id=endpoint)
    if attempt := as_uuid("att", term):
        return rows.filter(id__in=Attempt.objects.filter(id=attempt).values("delivery_id"))
    if raw := plain_uuid(term):
        return rows.filter(Q(id=raw) | Q(notification_id=raw))
    return rows.filter(recipient_id__in=recipients(term))


def notifications(rows: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Notifications by their own id or a delivery's, by cancellation key, or by a recipient they were routed to."""
    term = term.strip()
    if own := as_uuid("ntf", term) or plain_uuid(term):
        return rows.filter(id=own)
    if delivery := as_uuid("dlv", term):
        return rows.filter(id__in=Delivery.objects.filter(id=delivery).values("notification_id"))
    routed = Delivery.objects.filter(recipient_id__in=recipients(term)).order_by("-id")
    reached = list(routed.values_list("notification_id", flat=True)[:_MOST_NOTIFICATIONS])
    return rows.filter(Q(id__in=reached) | Q(cancellation_key=term))


def of_recipient(rows: QuerySet[Any], term: str, own: ids.Prefix | None = None) -> QuerySet[Any]:
    """Rows that belong to a recipient, by the recipient's id or email, or by their own public id."""
    if own is not None and (found := as_uuid(own, term)):
        return rows.filter(id=found)
    return rows.filter(recipient_id__in=recipients(term.strip()))


def runs(rows: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Walks by their own id, their notification's or digest's, or by recipient."""
    term = term.strip()
    if own := as_uuid("run", term):
        return rows.filter(id=own)
    if notification := as_uuid("ntf", term):
        return rows.filter(notification_id=notification)
    if digest := as_uuid("dig", term):
        return rows.filter(digest_id=digest)
    if raw := plain_uuid(term):
        return rows.filter(id=raw)
    return rows.filter(recipient_id__in=recipients(term))


def digests(rows: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Digests by their own id, that of a notification in them, or by recipient."""
    term = term.strip()
    if own := as_uuid("dig", term) or plain_uuid(term):
        return rows.filter(id=own)
    if notification := as_uuid("ntf", term):
        items = DigestItem.objects.filter(notification_id=notification).order_by()
        return rows.filter(id__in=list(items.values_list("digest_id", flat=True)[:_MOST_NOTIFICATIONS]))
    return rows.filter(recipient_id__in=recipients(term))

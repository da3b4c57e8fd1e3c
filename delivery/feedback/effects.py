"""What follows from feedback: the events and everything they cause, in one transaction, the same however often it is told.

    bounce       the delivery fails as `bounced`; its address is suppressed when nobody is there (5.1.x), as after SMTP's own refusal
    delivered    the delivery is raised to `delivered`
    complaint,   the address is suppressed; the delivery stays as it is
    unsubscribe
    deferred,    the event alone
    relayed

**How a late bounce shows.** `sent` means that the next server took the mail; it is the one terminal state that another
word may still settle: up to `delivered`, or down to `failed` with reason `bounced`. Whoever reads a state wants to know whether
the mail arrived, lists and counts of failures must hold the bounced ones, and a state that stays `sent` with the truth
hidden in a second field would be misread by every client that was not written for it. The first word that settles counts: a
delivery that was confirmed stays `delivered` and one that bounced stays `failed`, and what is said later is an event.
`finished_at` stays the time at which our own work ended. A delivery that is being retried (its server never answered the final
dot) is left to its retries, which a suppression ends.

**Whose address.** A report may name another address than the one written to (a forward), and the recipient may have got a new
one meanwhile. The recipient's present address is suppressed only when the report names it, or when the recipient has not been
changed since the first attempt. Nobody else's address can be suppressed by a report, whatever it names.

Feedback about what is not there, another project's or not email is counted and otherwise ignored: deliveries of erased
people end like this, and forged reports.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Min

from delivery import metrics
from delivery.feedback.kinds import Feedback, Kind, condemns_address
from delivery.models import Attempt, Delivery
from delivery.routing import EMAIL
from delivery.states import State
from delivery.status_events.recording import DELIVERY_COLUMNS, delivery_facts, recording
from notifications import ids
from notifications.addresses import normalise_email
from notifications.clock import utc_now
from notifications.models import Recipient, Suppression
from notifications.services.suppressions import suppress_email

BOUNCED: Final = "bounced"
CONFIRMED: Final = "confirmed"

_RECORD: Final = """
    INSERT INTO delivery_deliveryevent (id, delivery_id, type, source, event_id, status, detail, occurred_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (delivery_id, event_id) DO NOTHING"""
_SUPPRESSING: Final = {Kind.COMPLAINT: Suppression.Reason.COMPLAINT, Kind.UNSUBSCRIBE: Suppression.Reason.UNSUBSCRIBE}


_SETTLE: Final = f"""
    WITH settled AS (
        UPDATE delivery_delivery d SET state = %s, reason = %s WHERE d.id = %s AND d.state = 'sent'
        RETURNING {DELIVERY_COLUMNS}),
    {recording(delivery_facts("settled"))}
    SELECT FROM settled"""  # noqa: S608 - composed of our own text


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of some feedback."""

    recorded: int = 0
    repeated: int = 0
    ignored: int = 0


def apply_feedback(items: Iterable[Feedback], *, project_id: UUID | None = None) -> Applied:
    """Record what is new and do what follows from it; with `project_id`, for deliveries of that project alone."""
    told = list(items)
    recorded = repeated = ignored = 0
    with transaction.atomic():
        deliveries = _lock({item.delivery_id for item in told}, project_id)
        for item in told:
            delivery = deliveries.get(item.delivery_id)
            if delivery is None:
                ignored += 1
            elif _record(item):
                _follow(item, delivery)
                recorded += 1
            else:
                repeated += 1
    for outcome, count in (("recorded", recorded), ("repeated", repeated), ("ignored", ignored)):
        metrics.FEEDBACK.labels(outcome).inc(count)
    return Applied(recorded, repeated, ignored)


def _lock(delivery_ids: set[UUID], project_id: UUID | None) -> dict[UUID, Delivery]:
    """The deliveries with their recipients, locked: deliveries first, as erasing a person does, each in order of their ids."""
    found = Delivery.objects.filter(id__in=delivery_ids, channel=EMAIL)
    if project_id is not None:
        found = found.filter(project_id=project_id)
    deliveries = {row.id: row for row in found.select_for_update(no_key=True).order_by("id")}
    told_of = {row.recipient_id for row in deliveries.values()}
    people = Recipient.objects.select_for_update(no_key=True).filter(id__in=told_of)
    recipients = {row.id: row for row in people.order_by("id")}
    for row in deliveries.values():
        if row.recipient_id in recipients:
            row.recipient = recipients[row.recipient_id]
    return {key: row for key, row in deliveries.items() if row.recipient_id in recipients}


def _record(item: Feedback) -> bool:
    """Write the event; False when it was there already."""
    now = utc_now()
    values = [
        ids.new_uuid(),
        item.delivery_id,
        item.kind.value,
        item.source,
        item.event_id,
        item.status,
        item.detail[:500],
        min(item.occurred_at or now, now),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
        return bool(cursor.rowcount)


def _follow(item: Feedback, delivery: Delivery) -> None:
    if item.kind is Kind.BOUNCE:
        _settle(delivery, State.FAILED, BOUNCED)
        if condemns_address(item.status):
            _suppress(item, delivery, Suppression.Reason.BOUNCE)
    elif item.kind is Kind.DELIVERED:
        _settle(delivery, State.DELIVERED, CONFIRMED)
    elif item.kind in _SUPPRESSING:
        _suppress(item, delivery, _SUPPRESSING[item.kind])


def _settle(delivery: Delivery, state: State, reason: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [state.value, reason, delivery.id])
        if cursor.rowcount:
            delivery.state, delivery.reason = state, reason


def _suppress(item: Feedback, delivery: Delivery, reason: str) -> None:
    address = delivery.recipient.email
    if not address:
        return
    named = item.address is not None and normalise_email(item.address) == normalise_email(address)
    if named or _unchanged_since_sending(delivery):
        suppress_email(
            project_id=delivery.project_id,
            address=address,
            reason=reason,
            detail=" ".join(filter(None, (item.status, item.detail))),
            source_delivery_id=delivery.id,
        )


def _unchanged_since_sending(delivery: Delivery) -> bool:
    first = Attempt.objects.filter(delivery_id=delivery.id).aggregate(first=Min("started_at"))["first"]
    return first is not None and delivery.recipient.updated_at <= first

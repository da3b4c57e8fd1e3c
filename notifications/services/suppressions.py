"""The suppression list: put on it, taken off it, and made anonymous."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from notifications import ids
from notifications.addresses import hash_email, normalise_email
from notifications.errors import NotFound
from notifications.models import Suppression

LONGEST_DETAIL: Final = 500

_PUT: Final = """
    INSERT INTO notifications_suppression AS mine
           (id, project_id, channel, address, address_hash, reason, detail, source_delivery_id, expires_at)
    VALUES (%s, %s, 'email', %s, %s, %s, %s, %s, %s)
    ON CONFLICT (address_hash, project_id, channel, reason) DO UPDATE
       SET address = excluded.address, detail = excluded.detail, expires_at = excluded.expires_at,
           source_delivery_id = coalesce(excluded.source_delivery_id, mine.source_delivery_id)
    RETURNING id"""


@transaction.atomic
def suppress_email(
    *,
    project_id: UUID,
    address: str,
    reason: str,
    detail: str = "",
    source_delivery_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> tuple[Suppression, bool]:
    """The suppression of this address for this reason, as said now, and whether it is new."""
    fresh, normalised = ids.new_uuid(), normalise_email(address)
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT,
            [
                fresh,
                project_id,
                normalised,
                hash_email(normalised),
                reason,
                detail[:LONGEST_DETAIL],
                source_delivery_id,
                expires_at,
            ],
        )
        row = cursor.fetchone()
    assert row is not None
    return Suppression.objects.get(id=row[0]), row[0] == fresh


def delete_suppression(*, project_id: UUID, suppression_id: UUID) -> None:
    """Take one off the list. Raises `NotFound`."""
    if not Suppression.objects.filter(project_id=project_id, id=suppression_id).delete()[0]:
        raise NotFound


def forget_addresses(*, project_id: UUID, emails: Iterable[str] = (), delivery_ids: Iterable[Any] = ()) -> None:
    """Remove the clear addresses of an erased person, whatever was said about them included; the hashes stay."""
    rows = Suppression.objects.filter(project_id=project_id, address__isnull=False)
    hashes = [hash_email(email) for email in emails]
    found = rows.filter(Q(address_hash__in=hashes) | Q(source_delivery_id__in=delivery_ids))
    found.update(address=None, detail="", source_delivery_id=None)

"""Recipients: make, change, erase."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from notifications.errors import NotFound
from notifications.merge_patch import merge_patch
from notifications.models import Recipient
from notifications.services.erasing import forget_name, forget_named
from notifications.services.suppressions import forget_addresses

FIELDS: Final = ("email", "phone", "name", "locale", "timezone", "data")


def put_recipient(*, project_id: UUID, external_id: str, fields: Mapping[str, Any]) -> tuple[Recipient, bool]:
    """The recipient exactly as `fields` says (what is left out is emptied), and whether it is new."""
    values: dict[str, Any] = {name: fields.get(name) for name in FIELDS}
    values["data"] = fields.get("data") or {}
    recipient, created = Recipient.objects.update_or_create(
        project_id=project_id,
        external_id=external_id,
        defaults={**values, "updated_at": Now()},
        create_defaults=values,
    )
    recipient.refresh_from_db(fields=["created_at", "updated_at"])
    return recipient, created


@transaction.atomic
def patch_recipient(*, project_id: UUID, external_id: str, fields: Mapping[str, Any]) -> Recipient:
    """Change the given fields; `data` is merged as RFC 7396 says. Raises `NotFound`."""
    recipient = lock_recipient(project_id=project_id, external_id=external_id)
    changed = {name: fields[name] for name in FIELDS if name in fields}
    if "data" in changed:
        changed["data"] = merge_patch(recipient.data, changed["data"])
    for name, value in {**changed, "updated_at": Now()}.items():
        setattr(recipient, name, value)
    recipient.save(update_fields=[*changed, "updated_at"])
    recipient.refresh_from_db(fields=["updated_at"])
    return recipient


@transaction.atomic
def erase_recipient(*, project_id: UUID, external_id: str) -> UUID:
    """Remove a person with addresses, memberships, messages and deliveries, and the name from what others got as well; what
    suppresses the address keeps its hash alone. Gives the row's id, for whoever has to be told. Raises `NotFound`."""
    # Notifications and deliveries before their recipient, as those take them who are just routing and delivering.
    found = Recipient.objects.filter(project_id=project_id, external_id=external_id).first()
    if found is None:
        raise NotFound
    forget_name(project_id=project_id, external_id=external_id)
    locked = found.deliveries.select_for_update().order_by("id").values_list("notification_id", flat=True)
    forget_named(project_id=project_id, external_id=external_id, notification_ids=sorted(set(locked)))
    # A full lock: whoever is just writing a row that points here ends first, and is then erased as well.
    recipient = lock_recipient(project_id=project_id, external_id=external_id, no_key=False)
    recipient_pk, email, deliveries = recipient.pk, recipient.email, recipient.deliveries.values("id")
    forget_addresses(project_id=project_id, delivery_ids=deliveries)
    recipient.delete()
    # Once more now that no delivery is left by which the address could come back.
    forget_addresses(project_id=project_id, emails=[email] if email else [])
    return recipient_pk


def ensure_recipient(*, project_id: UUID, external_id: str) -> Recipient:
    """The recipient with this id, made bare when it is unknown."""
    recipient, _ = Recipient.objects.get_or_create(project_id=project_id, external_id=external_id)
    return recipient


def lock_recipient(*, project_id: UUID, external_id: str, no_key: bool = True) -> Recipient:
    """The row, locked against change and removal until the transaction ends. Raises `NotFound`.

    With `no_key`, rows that point to it may be added meanwhile.
    """
    rows = Recipient.objects.select_for_update(no_key=no_key)
    recipient = rows.filter(project_id=project_id, external_id=external_id).first()
    if recipient is None:
        raise NotFound
    return recipient

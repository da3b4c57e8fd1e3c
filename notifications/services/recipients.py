"""Recipients: make and change. Erasing reaches further, see `delivery/erasing.py`."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from notifications.errors import NotFound
from notifications.merge_patch import merge_patch
from notifications.models import Recipient

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

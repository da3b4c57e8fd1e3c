"""Making, rotating and ending API keys. The key itself is returned once and never kept."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from notifications.clock import utc_now
from notifications.errors import Conflict, NotFound
from notifications.models import ApiKey, Project
from notifications.services.projects import create_api_key


def make_key(
    *, project_id: UUID, name: str, scopes: list[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key of a project, and its row."""
    return create_api_key(project=Project(id=project_id), name=name, scopes=sorted(set(scopes)), expires_at=expires_at)


@transaction.atomic
def rotate_key(
    *, project_id: UUID, key_id: UUID, overlap: timedelta, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A successor with the same name and scopes; the old key ends when `overlap` has passed, or sooner if it would have.

    Raises `NotFound`, or `Conflict` for a key that opens nothing any more.
    """
    old = _locked(project_id, key_id)
    now = utc_now()
    if not old.is_usable(now):
        raise Conflict("This key has ended; make a new one.")
    until = now + overlap
    if old.expires_at is None or old.expires_at > until:
        old.expires_at = until
        old.save(update_fields=["expires_at"])
    return make_key(project_id=project_id, name=old.name, scopes=old.scopes, expires_at=expires_at)


@transaction.atomic
def revoke_key(*, project_id: UUID, key_id: UUID, by: UUID) -> None:
    """End a key now; again is no harm. Raises `NotFound`, or `Conflict` for the very key that asks (`by`)."""
    key = _locked(project_id, key_id)
    if key.id == by:
        raise Conflict("This is the key that you are using; rotate it, or revoke it with another one.")
    if key.revoked_at is None:
        key.revoked_at = utc_now()
        key.save(update_fields=["revoked_at"])


def _locked(project_id: UUID, key_id: UUID) -> ApiKey:
    key = ApiKey.objects.select_for_update().filter(project_id=project_id, id=key_id).first()
    if key is None:
        raise NotFound
    return key

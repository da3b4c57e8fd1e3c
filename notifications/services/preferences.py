"""What recipients want: said by the caller, by the recipient on the hosted page, or by one click in a mail."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from notifications.merge_patch import merge_patch
from notifications.models import ProjectSettings, Recipient, RecipientPreferences
from notifications.preference_links import PreferenceLink
from notifications.preferences.changing import Settings
from notifications.preferences.parsing import parse_preferences
from notifications.services.recipients import ensure_recipient, lock_recipient
from notifications.signed_links import digest_address

Source = RecipientPreferences.Source
NOTHING: Final[Settings] = {}


@transaction.atomic
def put_preferences(
    *, project_id: UUID, external_id: str, settings: Any, source: Source = Source.API
) -> RecipientPreferences:
    """The recipient's own preferences exactly as `settings` says; an unknown recipient is made, bare. Raises `Invalid`."""
    parse_preferences(settings)
    recipient = ensure_recipient(project_id=project_id, external_id=external_id)
    return change_preferences(recipient, lambda _: settings, source=source)


@transaction.atomic
def patch_preferences(*, project_id: UUID, external_id: str, patch: Any) -> RecipientPreferences:
    """`patch` merged into the recipient's own preferences as RFC 7396 says. Raises `NotFound`, `Invalid`."""
    recipient = lock_recipient(project_id=project_id, external_id=external_id)
    return change_preferences(recipient, lambda before: merge_patch(before, patch), source=Source.API)


def recipient_of_link(project_id: UUID, recipient_pk: UUID, address_digest: bytes) -> Recipient | None:
    """Whom a link in a mail belongs to, locked until the caller's transaction ends.

    None when the recipient is gone or has another address since: mail to the old one has ended anyway, and whoever reads that
    mailbox now must not decide for them.
    """
    rows = Recipient.objects.select_for_update(no_key=True)  # is not erased before the commit
    recipient = rows.filter(id=recipient_pk, project_id=project_id).first()
    if recipient is None or not recipient.email or digest_address(recipient.email) != address_digest:
        return None
    return recipient


@transaction.atomic
def change_by_link(
    link: PreferenceLink, change: Callable[[Settings, Settings], Settings]
) -> RecipientPreferences | None:
    """What `change` makes of the recipient's own preferences and the project's; None when the link opens nothing (any more)."""
    recipient = recipient_of_link(link.project_id, link.recipient_pk, link.address_digest)
    if recipient is None:
        return None
    rows = ProjectSettings.objects.filter(project_id=link.project_id)
    defaults = rows.values_list("preferences", flat=True).first() or {}
    return change_preferences(recipient, lambda own: change(own, defaults), source=Source.PAGE)


def change_preferences(
    recipient: Recipient, change: Callable[[Settings], Any], *, source: Source
) -> RecipientPreferences:
    """What `change` makes of what was said before, in the caller's transaction. Raises `Invalid`."""
    with transaction.atomic():
        # The row that everybody who changes these locks, whether there are any yet or not.
        Recipient.objects.select_for_update(no_key=True).get(pk=recipient.pk)
        row = RecipientPreferences.objects.filter(recipient=recipient).first()
        settings = change(row.settings if row else NOTHING)
        parse_preferences(settings)
        if row is None:
            row = RecipientPreferences(recipient=recipient, project_id=recipient.project_id)
        if row._state.adding or row.settings != settings:
            row.settings, row.source, row.updated_at = settings, source, Now()
            row.save()
            row.refresh_from_db(fields=["updated_at"])
    return row

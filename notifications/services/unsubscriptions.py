"""Unsubscribing by the link in a mail: it becomes one of the recipient's preferences."""

from typing import Any, Final

from django.db import transaction

from notifications.conf import conf
from notifications.models import ProjectSettings, RecipientPreferences
from notifications.preferences.deciding import decide
from notifications.preferences.parsing import parse_preferences
from notifications.services.preferences import Settings, change_preferences, recipient_of_link
from notifications.unsubscribe_links import UnsubscribeLink

EMAIL: Final = "email"


@transaction.atomic
def unsubscribe_by_link(link: UnsubscribeLink, *, source: RecipientPreferences.Source) -> bool:
    """The recipient gets no mail of the link's category any more; whether that is new.

    Where something more specific said yes to the workflow of this very mail, that is ended as well: who unsubscribes from a
    mail gets no more of its kind, whatever was said before.
    """
    recipient = recipient_of_link(link.project_id, link.recipient_pk, link.address_digest)
    if recipient is None:
        return False
    defaults = ProjectSettings.objects.filter(project_id=link.project_id).values_list("preferences", flat=True).first()
    before = RecipientPreferences.objects.filter(recipient=recipient).values_list("settings", flat=True).first()

    def change(settings: Settings) -> Settings:
        changed = _switched_off(settings, "categories", link.category)
        if link.workflow is not None and _still_comes(changed, defaults or {}, link):
            changed = _switched_off(changed, "workflows", link.workflow)
        return changed

    return bool(change_preferences(recipient, change, source=source).settings != before)


def _switched_off(settings: Settings, part: str, key: str) -> Settings:
    """`settings` without mail of this category or workflow; what was said for its other channels stays."""
    entries = settings.get(part) or {}
    entry: Any = entries.get(key)
    if isinstance(entry, bool):
        if not entry:
            return settings
        entry = dict.fromkeys(conf().channels, True)
    return {**settings, part: {**entries, key: {**(entry or {}), EMAIL: False}}}


def _still_comes(settings: Settings, defaults: Settings, link: UnsubscribeLink) -> bool:
    own, project = parse_preferences(settings), parse_preferences(defaults)
    return decide(EMAIL, workflow=link.workflow, category=link.category, own=own, defaults=project).allowed

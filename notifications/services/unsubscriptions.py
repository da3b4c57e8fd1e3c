"""Unsubscribing by the link in a mail: it becomes one of the recipient's preferences."""

from typing import Final

from django.db import transaction

from notifications.conf import conf
from notifications.models import ProjectSettings, RecipientPreferences
from notifications.preferences.changing import Settings, switch
from notifications.preferences.deciding import decide
from notifications.preferences.parsing import parse_preferences
from notifications.services.preferences import change_preferences, recipient_of_link
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
        changed = settings
        if (settings.get("categories") or {}).get(link.category) is not False or _comes(
            changed, defaults or {}, link, None
        ):
            changed = switch(changed, "categories", link.category, EMAIL, False, known=conf().channels)
        if link.workflow is not None and _comes(changed, defaults or {}, link, link.workflow):
            changed = switch(changed, "workflows", link.workflow, EMAIL, False, known=conf().channels)
        return changed

    return bool(change_preferences(recipient, change, source=source).settings != before)


def _comes(settings: Settings, defaults: Settings, link: UnsubscribeLink, workflow: str | None) -> bool:
    """Whether mail of the link's category, or of this workflow of it, would still be sent."""
    own, project = parse_preferences(settings), parse_preferences(defaults)
    return decide(EMAIL, workflow=workflow, category=link.category, own=own, defaults=project).allowed

"""Unsubscribing by the link in a mail."""

from typing import Final

from django.db import transaction

from notifications.models import Recipient, Unsubscription
from notifications.unsubscribe_links import UnsubscribeLink, digest_address

EMAIL: Final = "email"


@transaction.atomic
def unsubscribe_by_link(link: UnsubscribeLink, *, source: Unsubscription.Source) -> bool:
    """The recipient gets no mail of the link's category any more; whether that is new.

    Nothing happens when it was said before, when the recipient is gone or has another address since: mail to the old
    one has ended anyway, and whoever reads that mailbox now must not decide for them.
    """
    rows = Recipient.objects.select_for_update(no_key=True)  # is not erased before the commit
    recipient = rows.filter(id=link.recipient_pk, project_id=link.project_id).first()
    if recipient is None or not recipient.email or digest_address(recipient.email) != link.address_digest:
        return False
    _, created = Unsubscription.objects.get_or_create(
        recipient=recipient,
        channel=EMAIL,
        category=link.category,
        defaults={"project_id": link.project_id, "source": source},
    )
    return created

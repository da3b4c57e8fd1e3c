"""What a mail has beyond what every channel says: its thread, its way out, its files. Pure but for the link's signature."""

import hashlib
from typing import Any

from delivery.claims import Claim, Message
from delivery.transports.base import Attachment
from notifications.intake.attachments import type_of
from notifications.preference_links import preferences_url
from notifications.unsubscribe_links import unsubscribe_url


def mail_details(item: Claim, message: Message, address: str) -> dict[str, Any]:
    """The fields of an Outbound that only mail has: links to unsubscribe and to all preferences unless it is critical or has no
    category."""
    details: dict[str, Any] = {}
    if message.thread:
        details["thread_id"] = thread_id(message, item)
    if message.category and not item.critical:
        details["unsubscribe_url"] = unsubscribe_url(
            project_id=message.project_id,
            recipient_pk=item.recipient_id,
            address=address,
            category=message.category,
            workflow=message.workflow,
        )
        details["preferences_url"] = preferences_url(
            project_id=message.project_id,
            recipient_pk=item.recipient_id,
            address=address,
            category=message.category,
        )
    return details


def thread_id(message: Message, item: Claim) -> str:
    """The same for all mails of one thread of one project to one recipient, and telling nothing about them."""
    said = message.project_id.bytes + item.recipient_id.bytes + (message.thread or "").encode()
    return hashlib.sha256(said).hexdigest()[:32]


def attachments(message: Message) -> tuple[Attachment, ...]:
    """The files that the notification names."""
    return tuple(
        Attachment(
            name=given["name"],
            url=given["url"],
            media_type=type_of(given["name"], given.get("type")),
            inline=given.get("inline"),
        )
        for given in message.content.get("attachments") or ()
    )


def links_of(item: Claim, message: Message) -> dict[str, str]:
    """Addresses that a mail's own text may show: `preferences_url`, and `unsubscribe_url` where there is such."""
    if not item.email:
        return {}
    details = mail_details(item, message, item.email)
    page = preferences_url(
        project_id=message.project_id, recipient_pk=item.recipient_id, address=item.email, category=message.category
    )
    own = {"unsubscribe_url": details["unsubscribe_url"]} if "unsubscribe_url" in details else {}
    return {"preferences_url": page, **own}

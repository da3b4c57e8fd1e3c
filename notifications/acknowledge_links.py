"""Links by which somebody says that they take care of something: an escalation ends with it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from notifications.signed_links import BadLink, read_signed, signed_url

PATH: Final = "/k/"
_PURPOSE: Final = "notifications.acknowledge_links"


@dataclass(frozen=True, slots=True)
class AcknowledgeLink:
    """Which notification, and to whom the link was sent."""

    notification_id: UUID
    recipient_pk: UUID


def acknowledge_url(notification_id: UUID, recipient_pk: UUID) -> str:
    """The link for this recipient; the same each time."""
    return signed_url(PATH, _PURPOSE, notification_id.bytes + recipient_pk.bytes)


def read_acknowledge_token(token: str) -> AcknowledgeLink:
    """What a link's last part says. Raises `BadLink`."""
    said = read_signed(_PURPOSE, token)
    if len(said) != 32:
        raise BadLink
    return AcknowledgeLink(UUID(bytes=said[:16]), UUID(bytes=said[16:]))

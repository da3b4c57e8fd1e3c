"""Links by which a recipient ends one category of mail.

They say project, recipient, a digest of the address that was written to, the category, and behind a line's end the workflow of
the mail where it has one. One opens nothing but this one choice.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from notifications.signed_links import DIGEST_BYTES, BadLink, digest_address, read_signed, signed_url

PATH: Final = "/u/"
PURPOSE: Final = "notifications.unsubscribe_links"
_FIXED_BYTES: Final = 16 + 16 + DIGEST_BYTES
_APART: Final = "\n"  # neither key can hold it


@dataclass(frozen=True, slots=True)
class UnsubscribeLink:
    """Who does not want what, and a digest of the address that was written to."""

    project_id: UUID
    recipient_pk: UUID
    address_digest: bytes
    category: str
    workflow: str | None = None


def unsubscribe_url(
    *, project_id: UUID, recipient_pk: UUID, address: str, category: str, workflow: str | None = None
) -> str:
    """The link for a mail of `category` to `address`; the same each time."""
    kind = f"{category}{_APART}{workflow}" if workflow else category
    said = project_id.bytes + recipient_pk.bytes + digest_address(address) + kind.encode()
    return signed_url(PATH, PURPOSE, said)


def read_token(token: str) -> UnsubscribeLink:
    """What a link's last part says. Raises `BadLink`."""
    said = read_signed(PURPOSE, token)
    if len(said) <= _FIXED_BYTES:
        raise BadLink
    try:
        category, _, workflow = said[_FIXED_BYTES:].decode().partition(_APART)
    except ValueError:
        raise BadLink from None
    return UnsubscribeLink(
        UUID(bytes=said[:16]), UUID(bytes=said[16:32]), said[32:_FIXED_BYTES], category, workflow or None
    )

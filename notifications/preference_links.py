"""Links by which a recipient comes to the page of their own preferences, without logging in.

They say project, recipient, a digest of the address that was written to, and the category of the mail they stand in. Who holds
one may see and change what its recipient wants, and learns nothing else; it ends when the recipient has another address.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from notifications.signed_links import DIGEST_BYTES, BadLink, digest_address, read_signed, signed_url

PATH: Final = "/p/"
PURPOSE: Final = "notifications.preference_links"
_FIXED_BYTES: Final = 16 + 16 + DIGEST_BYTES


@dataclass(frozen=True, slots=True)
class PreferenceLink:
    """Whose preferences, and a digest of the address that was written to."""

    project_id: UUID
    recipient_pk: UUID
    address_digest: bytes
    category: str = ""


def preferences_url(*, project_id: UUID, recipient_pk: UUID, address: str, category: str | None = None) -> str:
    """The link for a mail of `category` to `address`; the same each time."""
    return url_of(PreferenceLink(project_id, recipient_pk, digest_address(address), category or ""))


def url_of(link: PreferenceLink) -> str:
    """The same from its parts."""
    said = link.project_id.bytes + link.recipient_pk.bytes + link.address_digest + link.category.encode()
    return signed_url(PATH, PURPOSE, said)


def read_token(token: str) -> PreferenceLink:
    """What a link's last part says. Raises `BadLink`."""
    said = read_signed(PURPOSE, token)
    if len(said) < _FIXED_BYTES:
        raise BadLink
    try:
        category = said[_FIXED_BYTES:].decode()
    except ValueError:
        raise BadLink from None
    return PreferenceLink(UUID(bytes=said[:16]), UUID(bytes=said[16:32]), said[32:_FIXED_BYTES], category)

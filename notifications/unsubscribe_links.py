"""Links by which a recipient ends one category of mail: signed, without expiry, since mails are kept for years.

A token is the base64url of project, recipient, a digest of the address it was sent to, the category, and the first
16 bytes of an HMAC-SHA256 over them. It proves nothing but that we wrote it, and opens nothing but this one choice. A secret
key that was replaced goes on verifying while it stands in SECRET_KEY_FALLBACKS.
"""

import functools
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

PATH: Final = "/u/"
_SALT: Final = "notifications.unsubscribe_links"
_TAG_BYTES: Final = 16
_DIGEST_BYTES: Final = 12
_FIXED_BYTES: Final = 16 + 16 + _DIGEST_BYTES
_MAX_LENGTH: Final = 1024


class BadLink(Exception):
    """Not one of ours, or changed."""


@dataclass(frozen=True, slots=True)
class UnsubscribeLink:
    """Who does not want what, and a digest of the address that was written to."""

    project_id: UUID
    recipient_pk: UUID
    address_digest: bytes
    category: str


def unsubscribe_url(*, project_id: UUID, recipient_pk: UUID, address: str, category: str) -> str:
    """The link for a mail of `category` to `address`; the same each time."""
    said = project_id.bytes + recipient_pk.bytes + digest_address(address) + category.encode()
    token = urlsafe_b64encode(said + _tag(settings.SECRET_KEY, said)).rstrip(b"=").decode("ascii")
    return f"{settings.PUBLIC_URL.rstrip('/')}{PATH}{token}"


def read_token(token: str) -> UnsubscribeLink:
    """What a link's last part says. Raises `BadLink`."""
    if len(token) > _MAX_LENGTH or not token.isascii():
        raise BadLink
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        said, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        # Base64 has several spellings of the same bytes; only ours is taken.
        if len(said) <= _FIXED_BYTES or urlsafe_b64encode(raw).rstrip(b"=") != token.encode():
            raise BadLink
        if not any(hmac.compare_digest(tag, _tag(key, said)) for key in keys):
            raise BadLink
        return UnsubscribeLink(
            UUID(bytes=said[:16]), UUID(bytes=said[16:32]), said[32:_FIXED_BYTES], said[_FIXED_BYTES:].decode()
        )
    except ValueError:
        raise BadLink from None


def digest_address(address: str) -> bytes:
    """Enough of an address to recognise it, whatever its case."""
    return hashlib.sha256(address.lower().encode()).digest()[:_DIGEST_BYTES]


def _tag(secret: str, said: bytes) -> bytes:
    return hmac.digest(_key(secret), said, "sha256")[:_TAG_BYTES]


@functools.lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    """Our own 32 bytes, so that a signature made for another purpose never unsubscribes anybody."""
    return salted_hmac(_SALT, "", secret=secret, algorithm="sha256").digest()

"""What links in mails are made of: a few bytes and our signature, without expiry, since mails are kept for years.

A token is the base64url of what is said and the first 16 bytes of an HMAC-SHA256 over it, under a key of its purpose. It proves
nothing but that we wrote it. A secret key that was replaced goes on verifying while it stands in SECRET_KEY_FALLBACKS.
"""

import functools
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

DIGEST_BYTES: Final = 12
_TAG_BYTES: Final = 16
_MAX_LENGTH: Final = 1024


class BadLink(Exception):
    """Not one of ours, or changed."""


def signed_url(path: str, purpose: str, said: bytes) -> str:
    """The link under the public address whose last part says `said`; the same each time."""
    token = urlsafe_b64encode(said + _tag(purpose, settings.SECRET_KEY, said)).rstrip(b"=").decode("ascii")
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}{token}"


def read_signed(purpose: str, token: str) -> bytes:
    """What a link's last part says. Raises `BadLink`."""
    if len(token) > _MAX_LENGTH or not token.isascii():
        raise BadLink
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        raise BadLink from None
    said, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
    # Base64 has several spellings of the same bytes; only ours is taken.
    if urlsafe_b64encode(raw).rstrip(b"=") != token.encode():
        raise BadLink
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(hmac.compare_digest(tag, _tag(purpose, key, said)) for key in keys):
        raise BadLink
    return said


def digest_address(address: str) -> bytes:
    """Enough of an address to recognise it, whatever its case."""
    return hashlib.sha256(address.lower().encode()).digest()[:DIGEST_BYTES]


def _tag(purpose: str, secret: str, said: bytes) -> bytes:
    return hmac.digest(key_of(purpose, secret), said, "sha256")[:_TAG_BYTES]


@functools.lru_cache(maxsize=16)
def key_of(purpose: str, secret: str) -> bytes:
    """32 bytes for this purpose alone, so that a signature made for another one opens nothing."""
    return salted_hmac(purpose, "", secret=secret, algorithm="sha256").digest()

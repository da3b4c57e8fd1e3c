"""API keys: how one looks, how it is made and how it is checked. Pure; the rows are in `models/projects.py`.

A key is `crl_<public id: 12 characters>_<secret: 43 characters of base64url, 32 random bytes><6 characters of checksum>`. The public id
finds the row, the stored SHA-256 of the whole key is compared in constant time, and the checksum lets scanners
and clients tell a real key from a typing error without asking the server. An operator may choose the first key
himself (any string of 32 characters or more); its public id is then derived from its hash.
"""

import binascii
import hashlib
import hmac
import secrets
from typing import Final

SCOPES: Final = ("notifications:write", "notifications:read", "recipients:write", "recipients:read", "admin")
"""What a key may do. `admin` contains the others."""

MINIMUM_LENGTH: Final = 32
_PUBLIC_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"


def generate() -> str:
    """A new key; shown once, never stored in clear."""
    public_id = "".join(secrets.choice(_PUBLIC_ALPHABET) for _ in range(12))
    body = f"crl_{public_id}_{secrets.token_urlsafe(32)}"
    return body + _checksum(body)


def public_id_of(key: str) -> str:
    """The part of `key` that may be shown and by which its row is found."""
    if is_generated(key):
        return key[4:16]
    return hashlib.sha256(b"carillon-public-id:" + key.encode()).hexdigest()[:12]


def is_generated(key: str) -> bool:
    """Whether `key` has the form and checksum of a key made by `generate`."""
    return (
        len(key) == 66
        and key.startswith("crl_")
        and key[16] == "_"
        and key.isascii()
        and hmac.compare_digest(_checksum(key[:-6]), key[-6:])
    )


def digest(key: str) -> str:
    """The hex SHA-256 that is stored. The key carries 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode()).hexdigest()


def matches(key: str, stored_digest: str) -> bool:
    """Whether `key` is the one whose digest was stored, in constant time."""
    return hmac.compare_digest(digest(key), stored_digest)


def _checksum(body: str) -> str:
    return f"{binascii.crc32(body.encode()) & 0xFFFFFF:06x}"

"""Addresses as the suppression list knows them: one normal form, and a keyed hash that outlives the address.

The normal form of an email address decides which spellings are one mailbox:

- the domain is compared as DNS does: in its ASCII form (IDNA), lower case, without a final dot;
- the local part is compared in Unicode's NFC, case-folded. RFC 5321 leaves its case to the receiving server, but no
  server in use tells two people apart by it, and writing again to somebody who complained harms more than sparing
  a namesake who does not exist;
- nothing else is the same: dots and `+tags` stay, for only the receiving server knows what they mean.

The hash is HMAC-SHA256 under the database's own key (`notifications/address_key.py`): without it nobody can try addresses against it.
"""

import functools
import hmac
import unicodedata

import idna

from notifications.address_key import address_key


@functools.lru_cache(maxsize=16_384)
def normalise_email(address: str) -> str:
    """The normal form; what is no address comes back folded, and equals only itself."""
    local, at, domain = address.strip().rpartition("@")
    local = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())
    return f"{local}{at}{_ascii(domain.rstrip('.').lower())}"


def hash_address(normalised: str, *, channel: str = "email") -> bytes:
    """32 bytes that stand for a normalised address of a channel. Raises what `address_key` raises."""
    return _hash(address_key(), normalised, channel)


def hash_email(address: str) -> bytes:
    """`hash_address` of an email address as anybody may write it."""
    return hash_address(normalise_email(address))


@functools.lru_cache(maxsize=16_384)
def _hash(key: bytes, normalised: str, channel: str) -> bytes:
    return hmac.digest(key, f"{channel}:{normalised}".encode("utf-8", "replace"), "sha256")


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain

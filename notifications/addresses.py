"""Addresses as the suppression list knows them: one normal form, and a keyed hash that outlives the address. Pure.

The normal form of an email address decides which spellings are one mailbox:

- the domain is compared as DNS does: in its ASCII form (IDNA), lower case, without a final dot;
- the local part is compared in Unicode's NFC, case-folded. RFC 5321 leaves its case to the receiving server, but no
  server in use tells two people apart by it, and writing again to somebody who complained harms more than sparing
  a namesake who does not exist;
- nothing else is the same: dots and `+tags` stay, for only the receiving server knows what they mean.

The hash is HMAC-SHA256 under a key derived (HKDF, RFC 5869) from CARILLON_SECRET_KEY. Without that key nobody can try addresses
against it; with another key the hashes of erased addresses match nothing any more, so the key must be kept.
"""

import functools
import hmac
import unicodedata
from typing import Final

import idna
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_INFO: Final = b"carillon suppression list v1"


@functools.lru_cache(maxsize=16_384)
def normalise_email(address: str) -> str:
    """The normal form; what is no address comes back folded, and equals only itself."""
    local, at, domain = address.strip().rpartition("@")
    local = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())
    return f"{local}{at}{_ascii(domain.rstrip('.').lower())}"


def hash_address(normalised: str, *, channel: str = "email") -> bytes:
    """32 bytes that stand for a normalised address of a channel."""
    return hmac.digest(_key(settings.SECRET_KEY), f"{channel}:{normalised}".encode("utf-8", "replace"), "sha256")


@functools.lru_cache(maxsize=16_384)
def hash_email(address: str) -> bytes:
    """`hash_address` of an email address as anybody may write it."""
    return hash_address(normalise_email(address))


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain


@functools.lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(secret.encode())

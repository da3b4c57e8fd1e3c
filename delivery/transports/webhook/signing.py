"""Signatures of Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks, spec)."""

import base64
import binascii
import functools
import hmac
import secrets as random
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "whsec_"
PRIVATE_PREFIX = "whsk_"
_MIN_KEY_BYTES = 24
_MAX_KEY_BYTES = 64

Key = bytes | Ed25519PrivateKey


class InvalidSecret(ValueError):
    """Not `whsec_` and the base64 of 24 to 64 bytes, nor `whsk_` and a key pair. Never carries the secret itself."""


def generate_secret() -> str:
    """A new secret, to be shown once."""
    return PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def decode_key(secret: str) -> Key:
    """The key in a shared secret (`whsec_`) or in a private key (`whsk_`); raises InvalidSecret."""
    return decode_private_key(secret) if secret.startswith(PRIVATE_PREFIX) else decode_secret(secret)


def decode_secret(secret: str) -> bytes:
    """The key in a shared secret; raises InvalidSecret."""
    if not secret.startswith(PREFIX):
        raise InvalidSecret("must begin with whsec_")
    key = _decode(secret[len(PREFIX) :])
    if not _MIN_KEY_BYTES <= len(key) <= _MAX_KEY_BYTES:
        raise InvalidSecret(f"must hold {_MIN_KEY_BYTES} to {_MAX_KEY_BYTES} bytes")
    return key


@functools.lru_cache(maxsize=1024)  # making the key object takes longer than signing with it
def decode_private_key(secret: str) -> Ed25519PrivateKey:
    """The Ed25519 key in `whsk_` and the base64 of its seed (RFC 8032) and public key; raises InvalidSecret."""
    raw = _decode(secret.removeprefix(PRIVATE_PREFIX))
    if len(raw) != 64:
        raise InvalidSecret("must hold 64 bytes")
    key = Ed25519PrivateKey.from_private_bytes(raw[:32])
    if key.public_key().public_bytes_raw() != raw[32:]:
        raise InvalidSecret("must hold a seed and its public key")
    return key


def sign(*, keys: Sequence[Key], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1,` or `v1a,` signature per key, in the order of the keys."""
    signed = b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)
    return " ".join(
        "v1," + _encode(hmac.digest(key, signed, "sha256"))
        if isinstance(key, bytes)
        else "v1a," + _encode(key.sign(signed))
        for key in keys
    )


def scheme_of(key: Key) -> str:
    """How its signatures begin."""
    return "v1" if isinstance(key, bytes) else "v1a"


def _encode(signature: bytes) -> str:
    return binascii.b2a_base64(signature, newline=False).decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSecret("is not base64 after its prefix") from None

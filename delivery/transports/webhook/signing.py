"""Signatures of Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks, spec)."""

import base64
import binascii
import hmac
import secrets as random
from collections.abc import Sequence

PREFIX = "whsec_"
_MIN_KEY_BYTES = 24
_MAX_KEY_BYTES = 64


class InvalidSecret(ValueError):
    """Not `whsec_` and the base64 of 24 to 64 bytes. Never carries the secret itself."""


def generate_secret() -> str:
    """A new secret, to be shown once."""
    return PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def decode_secret(secret: str) -> bytes:
    """The key in a secret; raises InvalidSecret."""
    if not secret.startswith(PREFIX):
        raise InvalidSecret("must begin with whsec_")
    try:
        key = base64.b64decode(secret[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSecret("is not base64 after whsec_") from None
    if not _MIN_KEY_BYTES <= len(key) <= _MAX_KEY_BYTES:
        raise InvalidSecret(f"must hold {_MIN_KEY_BYTES} to {_MAX_KEY_BYTES} bytes")
    return key


def sign(*, keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1,` signature per key, in the order of the keys."""
    signed = b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)
    return " ".join(
        "v1," + binascii.b2a_base64(hmac.digest(key, signed, "sha256"), newline=False).decode() for key in keys
    )

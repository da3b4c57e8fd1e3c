"""Keys that sign webhooks, in the forms of Standard Webhooks 1.0: made here, used by the webhook transport.

A key ring is what one endpoint signs with: keys separated by spaces, sealed as one text, the same form for what signs now and
for what signs along after a rotation.

    whsec_ + base64 of 24 to 64 bytes          `v1`, HMAC-SHA256
    whsk_  + base64 of seed and public key     `v1a`, Ed25519; its public half is shown as `whpk_` + base64 of 32 bytes
"""

import base64
import binascii
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the form, not a secret
PRIVATE_PREFIX: Final = "whsk_"
PUBLIC_PREFIX: Final = "whpk_"
SCHEMES: Final = ("v1", "v1a", "both")
_SECRET_BYTES: Final = range(24, 65)


@dataclass(frozen=True, slots=True)
class NewKeys:
    """What an endpoint is to sign with: `secret` is shown once, `public_key` always, the ring is kept sealed."""

    ring: str
    secret: str | None
    public_key: str


def make_keys(scheme: str, secret: str | None = None) -> NewKeys:
    """Fresh keys for one of `SCHEMES`; `secret`, already checked, in place of a random one."""
    signing = [] if scheme == "v1a" else [secret or new_secret()]
    private, public = new_key_pair() if scheme != "v1" else ("", "")
    return NewKeys(" ".join([*signing, private]).strip(), signing[0] if signing else None, public)


def new_secret() -> str:
    """A shared secret: 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def new_key_pair() -> tuple[str, str]:
    """A private key and its public half."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    private = PRIVATE_PREFIX + base64.b64encode(key.private_bytes_raw() + public).decode()
    return private, PUBLIC_PREFIX + base64.b64encode(public).decode()


def check_secret(secret: str) -> str:
    """A caller's own secret. Raises ValueError, which never carries the secret itself."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) not in _SECRET_BYTES:
        raise ValueError("Must be whsec_ and the base64 of 24 to 64 bytes.")
    return secret

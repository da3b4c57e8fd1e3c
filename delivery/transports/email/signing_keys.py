"""DKIM keys: reading them, and choosing those of the sender's domain. Costs nothing where no mail is signed."""

import re
from collections.abc import Iterable, Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from delivery.transports.base import SigningKey

LONGEST_DOMAIN = 63  # dkimpy folds a longer one in its middle
_NAME = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9])?")
_FEWEST_BITS = 1024  # what receivers may still accept (RFC 8301 section 3.2)


def load_private_key(pem: str) -> RSAPrivateKey | Ed25519PrivateKey:
    """RSA (PKCS#1 or PKCS#8) or Ed25519 (PKCS#8). Raises ValueError that does not quote it."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("not an unencrypted private key in PEM form") from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ValueError("DKIM knows RSA and Ed25519 keys only")
    if isinstance(key, RSAPrivateKey) and key.key_size < _FEWEST_BITS:
        raise ValueError(f"an RSA key needs at least {_FEWEST_BITS} bits")
    return key


def check_signing_key(key: SigningKey) -> None:
    """Raises ValueError that names the key and what is wrong with it."""
    name = f"DKIM key {key.selector!r} of {key.domain!r}"
    if not _NAME.fullmatch(key.domain) or not _NAME.fullmatch(key.selector) or len(key.domain) > LONGEST_DOMAIN:
        raise ValueError(f"{name}: domain and selector are ASCII names of at most {LONGEST_DOMAIN} characters")
    try:
        load_private_key(key.pem)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def keys_for(domain: str, *sources: Sequence[SigningKey]) -> tuple[SigningKey, ...]:
    """The keys of `domain` in the first source that has any."""
    for keys in sources:
        if keys and (found := tuple(_of(domain, keys))):
            return found
    return ()


def _of(domain: str, keys: Iterable[SigningKey]) -> Iterable[SigningKey]:
    return (key for key in keys if key.domain == domain)

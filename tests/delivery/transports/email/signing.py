"""DKIM keys for tests, and a verifier that asks no name server."""

from base64 import b64encode
from collections.abc import Callable
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from delivery.transports.base import SigningKey

DOMAIN = "carillon.example"


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def pem_of(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def signing_key(algorithm: str, domain: str = DOMAIN, form: PrivateFormat = PrivateFormat.PKCS8) -> SigningKey:
    """A key whose selector is the algorithm's name."""
    return SigningKey(domain, algorithm, pem_of(rsa_key() if algorithm == "rsa" else ed25519_key(), form))


def records(domain: str = DOMAIN) -> dict[bytes, bytes]:
    """What the name server of `domain` would say about both keys."""
    der = rsa_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    raw = ed25519_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        f"rsa._domainkey.{domain}.".encode(): b"v=DKIM1; k=rsa; p=" + b64encode(der),
        f"ed25519._domainkey.{domain}.".encode(): b"v=DKIM1; k=ed25519; p=" + b64encode(raw),
    }


def answering(known: dict[bytes, bytes]) -> Callable[..., bytes]:
    """dkimpy's `dnsfunc` over these records."""

    def answer(name: bytes, timeout: int = 5) -> bytes:
        return known[name]

    return answer


def verdicts(message: bytes, known: dict[bytes, bytes] | None = None) -> list[bool]:
    """dkimpy's verdict on every signature of the message, from the top."""
    count = sum(name.lower() == b"dkim-signature" for name, _ in dkim.rfc822_parse(message)[0])
    answer = answering(records() if known is None else known)
    return [_verdict(message, index, answer) for index in range(count)]


def _verdict(message: bytes, index: int, answer: Callable[..., bytes]) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(idx=index, dnsfunc=answer))
    except dkim.ValidationError:  # such as another body
        return False

"""Making DKIM keys and the DNS records that go with them."""

import re
from base64 import b64encode
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.db import IntegrityError, transaction

from delivery.models import DkimKey
from delivery.transports.email.addresses import InvalidAddress, parse_mailbox
from delivery.transports.email.signing_keys import LONGEST_DOMAIN
from notifications.errors import Conflict
from notifications.sealing import seal

RSA_BITS: Final = 2048  # what DNS and every receiver can take (RFC 8301 section 3.2)
_SELECTOR: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
_STRING_BYTES: Final = 255


def create_dkim_key(
    *, domain: str, selector: str, algorithm: DkimKey.Algorithm, project_id: UUID | None = None, active: bool = False
) -> DkimKey:
    """A new key. Raises ValueError for names that DNS cannot hold, `Conflict` when the record has an owner."""
    key = DkimKey(project_id=project_id, algorithm=algorithm, active=active)
    generate_into(key, domain=domain, selector=selector)
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(f"There is a key {key.record_name} already; choose another selector.") from error
    return key


def generate_into(key: DkimKey, *, domain: str, selector: str) -> None:
    """Give an unsaved row its names and a fresh key pair of its algorithm. Raises ValueError for impossible names."""
    if not _SELECTOR.match(selector):
        raise ValueError("A selector is 1 to 63 letters, digits and hyphens.")
    try:
        domain = parse_mailbox(f"postmaster@{domain.strip().rstrip('.')}").domain.lower()
    except InvalidAddress as error:
        raise ValueError(f"Not a domain: {error}.") from error
    if len(domain) > LONGEST_DOMAIN:
        raise ValueError(f"A domain of at most {LONGEST_DOMAIN} characters.")
    pem, record = _generate(DkimKey.Algorithm(key.algorithm))
    key.domain, key.selector = domain, selector.lower()
    key.sealed_private_key, key.public_record = seal(pem), record


def zone_line(key: DkimKey) -> str:
    """The record as a line of a zone file; a TXT record is made of strings of at most 255 bytes (RFC 6376 3.6.2.2)."""
    value = key.public_record
    strings = " ".join(f'"{value[at : at + _STRING_BYTES]}"' for at in range(0, len(value), _STRING_BYTES))
    return f"{key.record_name}. IN TXT ( {strings} )"


def _generate(algorithm: DkimKey.Algorithm) -> tuple[str, str]:
    """The private key as PEM and the value of its record (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if algorithm == DkimKey.Algorithm.RSA:
        private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        kind, public = "rsa", private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
        kind, public = "ed25519", private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return pem, f"v=DKIM1; k={kind}; p={b64encode(public).decode('ascii')}"

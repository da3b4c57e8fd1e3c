"""DKIM signatures (RFC 6376, Ed25519 by RFC 8463), relaxed/relaxed, by dkimpy.

dkimpy chooses, canonicalises, hashes and folds. Two things are not left to it, each measured for a mail of 9 KB (2 cores, RSA 2048):
its private-key operation in pure Python (5.6 ms; 0.2 ms by `cryptography`, so little that signing stays on the event loop),
and hashing the body again for every recipient of a broadcast (`Tail.body_hash` is computed once per content).
"""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

import dkim  # type: ignore[import-untyped]  # no stubs are published (checked 2026-11)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from dkim.canonicalization import CanonicalizationPolicy  # type: ignore[import-untyped]

from delivery.transports.base import SigningKey
from delivery.transports.email.signing_keys import load_private_key
from notifications.clock import utc_now

_POLICY: Final = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
_HEADER: Final = b"DKIM-Signature"
# Named once more than they are there, so that nobody can add one that a reader would believe (RFC 6376 section 8.15).
_OVERSIGNED: Final = (b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"message-id", b"content-type")


def signatures(keys: Sequence[SigningKey], headers: bytes, body_hash: bytes) -> bytes:
    """One `DKIM-Signature` line per key, over all of `headers` (a block of lines that end with CRLF).

    Raises ValueError for a key that cannot be read.
    """
    fields, _ = dkim.rfc822_parse(headers)
    present = tuple(name.lower() for name, _ in fields)
    return b"".join(_signature(key, fields, present + _OVERSIGNED, body_hash) for key in keys)


def hash_body(body: bytes) -> bytes:
    """The `bh=` of a body."""
    return b64encode(hashlib.sha256(_POLICY.canonicalize_body(body)).digest())


def _signature(key: SigningKey, fields: list[Any], signed: tuple[bytes, ...], body_hash: bytes) -> bytes:
    private = _private(key)
    # dkimpy asks the key object itself for a signature of the digest when the algorithm is Ed25519, and computes RSA
    # itself; through that door both go to `cryptography`. What the header says is `a=` below.
    signer = dkim.DKIM(signature_algorithm=b"ed25519-sha256")
    signer.headers = fields
    signer.hasher = hashlib.sha256
    tags = [
        (b"v", b"1"),
        (b"a", private.algorithm),
        (b"c", _POLICY.to_c_value()),
        (b"d", key.domain.encode("ascii")),
        (b"s", key.selector.encode("ascii")),
        (b"t", str(int(utc_now().timestamp())).encode("ascii")),
        (b"h", b" : ".join(signed)),
        (b"bh", body_hash),
        (b"b", b"0" * 60),  # dkimpy folds around it
    ]
    value: bytes = signer.gen_header(tags, signed, _POLICY, _HEADER, private)
    return _HEADER + b": " + value


class _Private:
    """A private key as dkimpy asks for it."""

    def __init__(self, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        self._key = key
        self.algorithm = b"rsa-sha256" if isinstance(key, RSAPrivateKey) else b"ed25519-sha256"

    def sign(self, digest: bytes) -> SimpleNamespace:
        if isinstance(self._key, RSAPrivateKey):
            return SimpleNamespace(signature=self._key.sign(digest, PKCS1v15(), Prehashed(SHA256())))
        return SimpleNamespace(signature=self._key.sign(digest))


@lru_cache(maxsize=256)
def _private(key: SigningKey) -> _Private:
    return _Private(load_private_key(key.pem))

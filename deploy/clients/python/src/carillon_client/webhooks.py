"""Webhooks as Carillon sends them: Standard Webhooks 1.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from .errors import CarillonError

DEFAULT_TOLERANCE_SECONDS = 300


class WebhookVerificationError(CarillonError):
    """Do not trust this request: answer 400 or 401. The message never holds a secret."""


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent. `id` is the same however often it is sent again: do what it asks once for each id."""

    id: str
    type: str
    timestamp: datetime
    data: dict[str, Any]


class _Body(msgspec.Struct):
    type: str
    timestamp: datetime
    data: dict[str, Any]


class Webhook:
    """Verifies requests with any of its keys.

    A key is an endpoint's secret (`whsec_...`) or its public key (`whpk_...`, for `v1a`; needs the extra `v1a`). While a
    rotation lasts, give old and new.
    """

    def __init__(self, *keys: str, tolerance_seconds: int = DEFAULT_TOLERANCE_SECONDS) -> None:
        if not keys:
            raise ValueError("give at least one whsec_ or whpk_ key")
        self._checks = [_check_of(key) for key in keys]
        self._tolerance_seconds = tolerance_seconds

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: float | None = None) -> WebhookEvent:
        """The event in a request's raw body, as it came. Raises `WebhookVerificationError`."""
        found = {name.lower(): value for name, value in headers.items()}
        message_id, sent_at, signatures = (
            found.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
        )
        self._check_time(sent_at, time.time() if now is None else now)
        signed = b"%s.%s.%s" % (message_id.encode(), sent_at.encode(), body)
        # Every key meets every signature, so that the time tells nothing about which one fits.
        fits = [check(signed, signature) for check in self._checks for signature in signatures.split(" ")]
        if not message_id or not any(fits):
            raise WebhookVerificationError("no signature fits")
        try:
            read = msgspec.json.decode(body, type=_Body)
        except msgspec.DecodeError as error:
            raise WebhookVerificationError(f"signed, but not a webhook of Carillon's: {error}") from error
        return WebhookEvent(id=message_id, type=read.type, timestamp=read.timestamp, data=read.data)

    def _check_time(self, sent_at: str, now: float) -> None:
        if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12):
            raise WebhookVerificationError("webhook-timestamp is missing or not a time")
        if abs(now - int(sent_at)) > self._tolerance_seconds:
            raise WebhookVerificationError("webhook-timestamp is too old or lies ahead: replayed, or a clock is wrong")


Check = Callable[[bytes, str], bool]


def _check_of(key: str) -> Check:
    prefix, _, encoded = key.partition("_")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if prefix == "whsec" and len(raw) >= 16:
        return lambda signed, signature: _fits_secret(raw, signed, signature)
    if prefix == "whpk" and len(raw) == 32:
        return _public_check(raw)
    raise ValueError("not a whsec_ or whpk_ key") from None


def _fits_secret(secret: bytes, signed: bytes, signature: str) -> bool:
    ours = b"v1," + base64.b64encode(hmac.digest(secret, signed, "sha256"))
    return hmac.compare_digest(ours, signature.encode())


def _public_check(raw: bytes) -> Check:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(raw)

    def fits(signed: bytes, signature: str) -> bool:
        version, _, encoded = signature.partition(",")
        try:
            key.verify(base64.b64decode(encoded, validate=True), signed)
        except (InvalidSignature, ValueError):
            return False
        return version == "v1a"

    return fits

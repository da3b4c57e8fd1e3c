"""Callback sources: who may report about a project's mail, and how a report proves where it is from."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from delivery.feedback.kinds import Feedback, Kind, delivery_of_message_id
from delivery.models import CallbackSource
from delivery.transports.answers import clean_text
from delivery.transports.webhook.signing import decode_secret, generate_secret
from notifications import ids
from notifications.clock import utc_now
from notifications.errors import Conflict, NotFound
from notifications.sealing import seal, unseal

SOURCE: Final = "callback"
MOST_PER_PROJECT: Final = 20
_TOLERANCE_SECONDS: Final = 300
_GONE: Final = "5.1.1"


def sources_of(project_id: UUID) -> QuerySet[CallbackSource]:
    """All sources of a project."""
    return CallbackSource.objects.filter(project_id=project_id)


def get_source(*, project_id: UUID, source_id: UUID) -> CallbackSource:
    """One source. Raises `NotFound`."""
    source = sources_of(project_id).filter(id=source_id).first()
    if source is None:
        raise NotFound
    return source


def create_source(*, project_id: UUID, name: str) -> tuple[CallbackSource, str]:
    """A new source and its secret in clear, which is not kept so. Raises `Conflict` when there are too many."""
    if sources_of(project_id).count() >= MOST_PER_PROJECT:
        raise Conflict(f"A project has at most {MOST_PER_PROJECT} callback sources.")
    secret = generate_secret()
    source = CallbackSource.objects.create(project_id=project_id, name=name, sealed_secret=seal(secret))
    source.refresh_from_db(fields=["created_at"])
    return source, secret


def delete_source(*, project_id: UUID, source_id: UUID) -> None:
    """Take no more reports from it. Raises `NotFound`."""
    if not sources_of(project_id).filter(id=source_id).delete()[0]:
        raise NotFound


def find_sender(
    source_id: UUID | None, *, bearer: str, headers: Mapping[str, str], body: bytes
) -> CallbackSource | None:
    """The source, if the request proves to be from it: by a Standard Webhooks signature over the body, or by the secret itself."""
    source = CallbackSource.objects.filter(id=source_id).first() if source_id else None
    if source is None:
        return None
    secret = unseal(source.sealed_secret)
    if bearer:
        proven = hmac.compare_digest(bearer.encode("utf-8", "replace"), secret.encode())
    else:
        proven = is_signed(secret, headers=headers, body=body, now=utc_now().timestamp())
    return source if proven else None


def is_signed(secret: str, *, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether one of the `v1` signatures is right and the time is within five minutes (Standard Webhooks 1.0)."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and message_id.isascii()):
        return False
    if not message_id or abs(now - int(timestamp)) > _TOLERANCE_SECONDS:
        return False
    signed = b"%s.%s.%s" % (message_id.encode(), timestamp.encode(), body)
    right = hmac.digest(decode_secret(secret), signed, "sha256")
    found = [_signature(entry) for entry in headers.get("webhook-signature", "").split(" ")[:10]]
    return any(hmac.compare_digest(right, signature) for signature in found)


def _signature(entry: str) -> bytes:
    version, _, text = entry.partition(",")
    try:
        return base64.b64decode(text, validate=True) if version == "v1" else b""
    except (binascii.Error, ValueError):
        return b""


def feedback_of(source: CallbackSource, event: Mapping[str, Any]) -> Feedback | None:
    """One checked event of the callback's body; None when it names no delivery of ours.

    A bounce without a status is one of an address that is gone: providers report what is only late as deferred.
    """
    kind = Kind(event["type"])
    delivery_id = (
        ids.decode("dlv", event["delivery_id"])
        if "delivery_id" in event
        else delivery_of_message_id(event.get("message_id", ""))
    )
    if delivery_id is None:
        return None
    return Feedback(
        kind=kind,
        delivery_id=delivery_id,
        source=SOURCE,
        event_id=f"{SOURCE}:{source.public_id}:{event['id']}",
        address=event.get("address"),
        status=event.get("status") or (_GONE if kind is Kind.BOUNCE else ""),
        detail=clean_text(event.get("detail", ""), limit_bytes=500),
        occurred_at=event.get("occurred_at"),
    )

"""Endpoints: further addresses of a recipient, with what their webhooks are signed with and carry along."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications import custom_headers
from notifications.errors import Conflict, Fault, Invalid, NotFound
from notifications.models import Endpoint
from notifications.sealing import seal, unseal
from notifications.services.recipients import lock_recipient
from notifications.signing_keys import make_keys

MOST_PER_RECIPIENT: Final = 20
OLD_KEYS_SIGN_FOR: Final = timedelta(hours=24)
_MOST_OLD_KEYS: Final = 4


@transaction.atomic
def create_endpoint(
    *, project_id: UUID, external_id: str, channel: str, url: str, options: Mapping[str, Any] | None = None
) -> tuple[Endpoint, str | None]:
    """A new endpoint and its secret in clear, which is not kept so (None with `v1a` alone).

    `url` has passed the address guard; `options` are checked values of signature, secret, headers, event_types and
    retry_seconds. Raises `NotFound`, or `Conflict` when the recipient has too many.
    """
    options = options or {}
    recipient = lock_recipient(project_id=project_id, external_id=external_id)
    if recipient.endpoints.count() >= MOST_PER_RECIPIENT:
        raise Conflict(f"A recipient has at most {MOST_PER_RECIPIENT} endpoints.")
    scheme = options.get("signature", Endpoint.Signature.V1)
    keys = make_keys(scheme, options.get("secret"))
    endpoint = Endpoint.objects.create(
        project_id=project_id,
        recipient=recipient,
        channel=channel,
        url=url,
        sealed_secret=seal(keys.ring),
        signature=scheme,
        public_key=keys.public_key,
        sealed_headers=_merged_headers("", options.get("headers", {})),
        event_types=options.get("event_types", []),
        retry_seconds=options.get("retry_seconds"),
    )
    endpoint.refresh_from_db(fields=["created_at", "sealed_old_secret"])
    return endpoint, keys.secret


@transaction.atomic
def change_endpoint(*, project_id: UUID, external_id: str, endpoint_id: UUID, changes: Mapping[str, Any]) -> Endpoint:
    """Set what is in `changes`: url, state, event_types, retry_seconds; headers are merged, null removes one.

    Stored headers, which may be credentials, do not go along to a url of another origin: only those in `changes` do.

    Raises `NotFound`, `Invalid` for too many headers.
    """
    endpoint = lock_endpoint(project_id=project_id, external_id=external_id, endpoint_id=endpoint_id)
    if "url" in changes and _origin(changes["url"]) != _origin(endpoint.url):
        endpoint.sealed_headers = ""
    for name in ("url", "event_types", "retry_seconds"):
        if name in changes:
            setattr(endpoint, name, changes[name])
    if "headers" in changes:
        endpoint.sealed_headers = _merged_headers(endpoint.sealed_headers, changes["headers"])
    state = changes.get("state", endpoint.state)
    if state != endpoint.state:
        endpoint.state = state
        endpoint.disabled_reason = "" if state == Endpoint.State.ENABLED else "disabled_by_caller"
    endpoint.save(update_fields=["url", "event_types", "retry_seconds", "sealed_headers", "state", "disabled_reason"])
    return endpoint


@transaction.atomic
def rotate_secret(
    *, project_id: UUID, external_id: str, endpoint_id: UUID, signature: str | None = None, secret: str | None = None
) -> tuple[Endpoint, str | None]:
    """New keys, of another kind if `signature` says so; what signed so far signs along for 24 h. As `create_endpoint`.

    Rotated again within that time, the last few keys all sign along, so nobody's 24 h are cut short.
    """
    endpoint = lock_endpoint(project_id=project_id, external_id=external_id, endpoint_id=endpoint_id)
    scheme = signature or endpoint.signature
    if secret is not None and scheme == Endpoint.Signature.V1A:
        raise Invalid([Fault("/secret", "v1a signs with a key pair that is made here; there is no secret to give.")])
    keys = make_keys(scheme, secret)
    old = unseal(endpoint.sealed_secret).split() if endpoint.sealed_secret else []
    if endpoint.sealed_old_secret and Endpoint.objects.filter(id=endpoint.id, old_secret_until__gt=Now()).exists():
        old += unseal(endpoint.sealed_old_secret).split()
    Endpoint.objects.filter(id=endpoint.id).update(
        sealed_secret=seal(keys.ring),
        signature=scheme,
        public_key=keys.public_key,
        sealed_old_secret=seal(" ".join(old[:_MOST_OLD_KEYS])) if old else "",
        old_secret_until=Now() + OLD_KEYS_SIGN_FOR if old else None,
    )
    endpoint.refresh_from_db()
    return endpoint, keys.secret


def delete_endpoint(*, project_id: UUID, external_id: str, endpoint_id: UUID) -> None:
    """Remove an endpoint; its deliveries stay as history. Raises `NotFound`."""
    found = Endpoint.objects.filter(id=endpoint_id, project_id=project_id, recipient__external_id=external_id)
    if not found.delete()[0]:
        raise NotFound


def lock_endpoint(*, project_id: UUID, external_id: str, endpoint_id: UUID) -> Endpoint:
    """One endpoint of a recipient, locked until the transaction ends. Raises `NotFound`."""
    rows: QuerySet[Endpoint] = Endpoint.objects.select_for_update(of=("self",), no_key=True).select_related("recipient")
    endpoint = rows.filter(id=endpoint_id, project_id=project_id, recipient__external_id=external_id).first()
    if endpoint is None:
        raise NotFound
    return endpoint


def forget_old_secrets() -> int:
    """Drop keys whose time of signing along is over (they have not been used since); how many endpoints had any."""
    over = Endpoint.objects.filter(old_secret_until__lte=Now())
    return over.update(sealed_old_secret="", old_secret_until=None)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """RFC 6454: scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _merged_headers(sealed: str, changes: Mapping[str, str | None]) -> str:
    if not changes:
        return sealed
    headers = custom_headers.unseal_headers(sealed) | dict(changes)
    kept = {name: value for name, value in headers.items() if value is not None}
    try:
        custom_headers.check_together(kept)
    except ValueError as error:
        raise Invalid([Fault("/headers", str(error))]) from error
    return custom_headers.seal_headers(kept)

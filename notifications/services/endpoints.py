"""Endpoints: further addresses of a recipient, with their signing secrets."""

import base64
import secrets
from typing import Final
from uuid import UUID

from django.db import transaction

from notifications.errors import Conflict, NotFound
from notifications.models import Endpoint
from notifications.sealing import seal
from notifications.services.recipients import lock_recipient

MOST_PER_RECIPIENT: Final = 20


@transaction.atomic
def create_endpoint(*, project_id: UUID, external_id: str, channel: str, url: str) -> tuple[Endpoint, str]:
    """A new endpoint and its secret in clear, which is not kept so.

    `url` has passed the address guard. Raises `NotFound`, or `Conflict` when the recipient has too many.
    """
    recipient = lock_recipient(project_id=project_id, external_id=external_id)
    if recipient.endpoints.count() >= MOST_PER_RECIPIENT:
        raise Conflict(f"A recipient has at most {MOST_PER_RECIPIENT} endpoints.")
    secret = new_secret()
    endpoint = Endpoint.objects.create(
        project_id=project_id, recipient=recipient, channel=channel, url=url, sealed_secret=seal(secret)
    )
    endpoint.refresh_from_db(fields=["created_at"])
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    *, project_id: UUID, external_id: str, endpoint_id: UUID, url: str | None = None, state: str | None = None
) -> Endpoint:
    """Another URL, or enabled and disabled by the caller; None leaves as it is. Raises `NotFound`."""
    rows = Endpoint.objects.select_for_update(of=("self",), no_key=True).select_related("recipient")
    endpoint = rows.filter(id=endpoint_id, project_id=project_id, recipient__external_id=external_id).first()
    if endpoint is None:
        raise NotFound
    if url is not None:
        endpoint.url = url
    if state is not None and state != endpoint.state:
        endpoint.state = state
        endpoint.disabled_reason = "" if state == Endpoint.State.ENABLED else "disabled_by_caller"
    endpoint.save(update_fields=["url", "state", "disabled_reason"])
    return endpoint


def delete_endpoint(*, project_id: UUID, external_id: str, endpoint_id: UUID) -> None:
    """Remove an endpoint; its deliveries stay as history. Raises `NotFound`."""
    found = Endpoint.objects.filter(id=endpoint_id, project_id=project_id, recipient__external_id=external_id)
    if not found.delete()[0]:
        raise NotFound


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it: `whsec_` and base64 of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()

"""What the API's tests share: a tenant, what a refused request must look like, and that it changed nothing."""

from dataclasses import dataclass
from typing import Any

import httpx
from django.apps import apps
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from delivery.models import EventEndpoint, Heartbeat, StatusDispatch, StatusEvent
from notifications.ids import new_uuid
from notifications.models import Inbox, InboxEvent, InboxMessage, Project, Recipient


@dataclass(frozen=True)
class Tenant:
    """A project of the test's own and a client that holds a key of it."""

    project: Project
    key: str
    http: httpx.Client


def token_of(tenant: Tenant, external_id: str) -> str:
    """A token of this recipient, who is made when there is none, as is the head of the inbox at the first look."""
    token: str = tenant.http.post(f"/v1/recipients/{external_id}/tokens").json()["token"]
    counted = tenant.http.get("/v1/inbox/counts", headers={"Authorization": f"Bearer {token}"})
    assert counted.status_code == 200, counted.text
    return token


def add_message(tenant: Tenant, external_id: str) -> str:
    """A message in the inbox of a recipient who exists, as the in-app channel would write it; its id."""
    token_of(tenant, external_id)
    recipient = Recipient.objects.get(project=tenant.project, external_id=external_id)
    with transaction.atomic():
        Inbox.objects.filter(recipient=recipient).update(
            offset=F("offset") + 1, unread=F("unread") + 1, unseen=F("unseen") + 1
        )
        offset = Inbox.objects.get(recipient=recipient).offset
        message = InboxMessage.objects.create(
            project=tenant.project, recipient=recipient, delivery_id=new_uuid(), offset=offset, title="secret", body=""
        )
        InboxEvent.objects.create(recipient=recipient, offset=offset, kind=InboxEvent.Kind.CREATED, message=message)
    return message.public_id


def add_event(tenant: Tenant, *, key: str = "theirs") -> StatusEvent:
    """A status event, recorded as a finish would, for an event endpoint of this key that leads nowhere."""
    where = f"/v1/events/endpoints/{key}"
    assert tenant.http.put(where, json={"url": "https://example.com/status"}).is_success
    event = StatusEvent.objects.create(
        project=tenant.project, type="delivery.failed", data={"delivery_id": str(new_uuid()), "reason": "secret"}
    )
    endpoint = EventEndpoint.objects.get(project=tenant.project, key=key)
    StatusDispatch.objects.create(event=event, endpoint=endpoint, available_at=Now())
    return event


def add_schedule(tenant: Tenant, *, key: str = "theirs") -> str:
    """A schedule of this key; the key."""
    body = {"cron": "0 9 * * 1", "notification": notification(content={"title": "secret"})}
    assert tenant.http.put(f"/v1/schedules/{key}", json=body).status_code == 201
    return key


def row_counts() -> dict[str, int]:
    """How many rows each of our tables holds: what a refused request must not change; heartbeats come and go by the clock."""
    models = [
        model for app in ("notifications", "schedules", "delivery") for model in apps.get_app_config(app).get_models()
    ]
    return {model._meta.label: model._default_manager.count() for model in models if model is not Heartbeat}


def assert_problem(
    response: httpx.Response, status: int, *, code: str | None = None, pointer: str | None = None
) -> Any:
    """The answer is a problem document of this status (and code, and names this field); gives the document."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert {"type", "title", "status", "detail", "code"} <= document.keys()
    assert document["status"] == status
    if code is not None:
        assert document["code"] == code
    if pointer is not None:
        assert pointer in [error["pointer"] for error in document["errors"]], document
    return document


def notification(**changes: Any) -> dict[str, Any]:
    """A body of POST /v1/notifications that is accepted as it is."""
    return {"recipients": ["u1"], "content": {"title": "Hello"}, "channels": ["in_app"], **changes}

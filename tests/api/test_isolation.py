"""What belongs to another project is answered like what does not exist: over every operation with an id in its path."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.openapi_document import document
from notifications import ids
from notifications.models import ApiKey, Notification
from tests.api.asking import (
    Tenant,
    add_event,
    add_message,
    add_schedule,
    assert_problem,
    notification,
    row_counts,
    token_of,
)
from tests.api.test_notifications import add_delivery

CREATING = {
    "put_recipient",
    "put_preferences",
    "put_topic",
    "put_workflow",
    "put_event_endpoint",
    "put_schedule",
    "put_template",
    "create_token",
    "subscribe",
}  # these make their own instead


def operations() -> Iterator[tuple[str, str, str, Any]]:
    for path, item in json.loads(document()[0])["paths"].items():
        for method, operation in item.items():
            if "{" in path:
                examples = (
                    operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
                )
                body = next((example["value"] for example in examples.values()), None)
                yield operation["operationId"], method.upper(), path, body


@pytest.fixture
def theirs(make_tenant: Callable[..., Tenant]) -> dict[str, str]:
    """Another project that has one of everything; path parameter -> its id."""
    other = make_tenant()
    other.http.put("/v1/recipients/theirs", json={"name": "secret", "email": "secret@example.com"})
    endpoint = other.http.post(
        "/v1/recipients/theirs/endpoints", json={"channel": "webhook", "url": "https://example.com/"}
    )
    other.http.post("/v1/topics/theirs/subscriptions", json={"recipients": ["theirs"]})
    steps = [{"key": "bell", "type": "in_app", "template": {"title": "secret"}}]
    other.http.put("/v1/workflows/theirs", json={"name": "secret", "steps": steps})
    template = {"variants": {"default": {"default": {"title": "secret"}}}}
    assert other.http.put("/v1/templates/theirs", json=template).status_code == 201
    sent = other.http.post("/v1/notifications", json=notification(recipients=["theirs"], cancellation_key="k"))
    row = Notification.objects.get(project=other.project)
    return {
        "recipient_id": "theirs",
        "endpoint_id": endpoint.json()["id"],
        "topic_key": "theirs",
        "workflow_key": "theirs",
        "template_key": "theirs",
        "version_number": "1",
        "notification_id": sent.json()["id"],
        "delivery_id": add_delivery(other, row, "failed").public_id,
        "message_id": add_message(other, "theirs"),
        "event_id": add_event(other).public_id,
        "event_endpoint_key": "theirs",
        "action": "read",
        "suppression_id": other.http.post("/v1/suppressions", json={"address": "secret@example.com"}).json()["id"],
        "schedule_key": add_schedule(other),
        "api_key_id": ids.encode("key", ApiKey.objects.get(project=other.project).id),
        "callback_id": other.http.post("/v1/callbacks", json={"name": "secret"}).json()["id"],
    }


def test_every_path_with_an_id_is_covered() -> None:
    assert len(list(operations())) >= 23


@pytest.mark.parametrize(
    ("name", "method", "path", "body"), list(operations()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_another_projects_ids(
    tenant: Tenant, theirs: dict[str, str], name: str, method: str, path: str, body: Any
) -> None:
    headers = {"Authorization": f"Bearer {token_of(tenant, 'theirs')}"} if path.startswith("/v1/inbox/") else {}
    before = row_counts()
    answer = tenant.http.request(method, path.format(**theirs), json=body, headers=headers)
    assert "secret" not in answer.text.replace('"secret":"whsec', "")
    if name == "report_events":  # an API key is no proof there, for nobody's source
        assert_problem(answer, 401, code="unauthorized")
        assert row_counts() == before
    elif name in CREATING:
        assert answer.is_success
        assert "secret@example.com" not in answer.text
    else:
        assert_problem(answer, 404, code="not_found")
        assert row_counts() == before


def test_lists_hold_only_their_own(tenant: Tenant, theirs: dict[str, str]) -> None:
    for path in (
        "/v1/notifications",
        "/v1/deliveries",
        "/v1/recipients",
        "/v1/topics",
        "/v1/workflows",
        "/v1/templates",
        "/v1/events",
        "/v1/events/endpoints",
        "/v1/suppressions",
        "/v1/callbacks",
        "/v1/schedules",
    ):
        assert tenant.http.get(path).json()["data"] == []
    assert tenant.http.post("/v1/deliveries/replay", json={"state": "failed"}).json() == {"count": 0, "next": None}
    cancelled = tenant.http.post("/v1/notifications/cancel", json={"cancellation_key": "k"}).json()
    assert cancelled["notifications"] == 0


def test_one_projects_cursor_is_nothing_to_another(tenant: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    other = make_tenant()
    for somebody in (tenant, other):
        for name in ("a", "b"):
            somebody.http.put(f"/v1/topics/{name}", json={})
    cursor = other.http.get("/v1/topics", params={"limit": 1}).json()["next"]
    assert_problem(tenant.http.get("/v1/topics", params={"after": cursor}), 422, pointer="/after")


def test_a_topic_of_another_project_cannot_be_addressed(tenant: Tenant, theirs: dict[str, str]) -> None:
    answer = tenant.http.post("/v1/notifications", json=notification(recipients=[{"topic": "theirs"}]))
    assert_problem(answer, 422, pointer="/recipients/0/topic")


def test_a_workflow_of_another_project_cannot_be_followed(tenant: Tenant, theirs: dict[str, str]) -> None:
    answer = tenant.http.post("/v1/notifications", json={"workflow": "theirs", "recipients": ["u1"]})
    assert_problem(answer, 422, pointer="/workflow")


def test_another_projects_namesake_keeps_its_tokens(tenant: Tenant, theirs: dict[str, str], connect: Any) -> None:
    """Both projects know a recipient of this id; what one does to its own does nothing to the other's."""
    other = connect(token_of(tenant, "namesake"))
    ours = connect(token_of(tenant, "theirs"))
    assert tenant.http.post("/v1/recipients/theirs/tokens/revoke").is_success
    assert_problem(ours.get("/v1/inbox/counts"), 401, code="unauthorized")
    assert other.get("/v1/inbox/counts").is_success
    presence = tenant.http.get("/v1/recipients/theirs/presence").json()
    assert (presence["online"], presence["last_seen_at"]) == (False, None)

"""The OpenAPI document describes what is there, its examples work, and the page to try it needs nobody else."""

import json
import re
from typing import Any

import httpx
import msgspec
import pytest
from openapi_spec_validator import validate

from api.openapi_document import document
from api.urls import urlpatterns
from notifications.intake.submission import NotificationIn
from notifications.models import Notification
from tests.api.asking import Tenant, add_event, add_message, add_schedule, token_of
from tests.api.test_notifications import add_delivery

DOCUMENT: dict[str, Any] = json.loads(document()[0])
OPERATIONS = [
    (path, method, described) for path, item in DOCUMENT["paths"].items() for method, described in item.items()
]


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(DOCUMENT)


def test_every_address_of_the_api_is_in_it() -> None:
    routes = {"/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)) for pattern in urlpatterns}
    undescribed = {
        route for route in routes if not route.startswith("/v1/") or route.startswith(("/v1/docs", "/v1/openapi"))
    }
    assert routes - undescribed == set(DOCUMENT["paths"])


@pytest.mark.parametrize(
    ("path", "method", "described"), OPERATIONS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_operation_is_explained(path: str, method: str, described: dict[str, Any]) -> None:
    assert described["summary"]
    assert described["tags"]
    inbox = path.startswith("/v1/inbox/")
    scheme = "callbackSecret" if path.endswith("{callback_id}/events") else "recipientToken" if inbox else "apiKey"
    assert described["security"] == [{scheme: []}]
    assert {"401", "429", "503"} <= set(described["responses"])
    assert ("403" in described["responses"]) is not inbox
    if method in ("post", "put", "patch") and "requestBody" in described:
        assert described["requestBody"]["content"]["application/json"]["examples"]
    if method == "post":
        names = [parameter["name"] for parameter in described.get("parameters", [])]
        assert ("Idempotency-Key" in names) is not (inbox or scheme == "callbackSecret")


def test_example_answers_have_every_field() -> None:
    found = 0
    for _, _, described in OPERATIONS:
        content = described["responses"].get("200", {}).get("content", {}).get("application/json", {})
        for example in content.get("examples", {}).values():
            schema = DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
            assert set(example["value"]) == set(schema["properties"])
            found += 1
    assert found >= 3


def test_the_submission_is_described_as_it_is_decoded() -> None:
    described = DOCUMENT["components"]["schemas"]["NotificationIn"]
    assert set(described["properties"]) == {field.encode_name for field in msgspec.structs.fields(NotificationIn)}
    assert described["required"] == ["recipients"]
    assert described["additionalProperties"] is False


def test_every_example_works(tenant: Tenant) -> None:
    """In an order in which they build on each other; what is in a path exists."""
    http = tenant.http
    http.post("/v1/topics/team-1/subscriptions", json={"recipients": ["u1"]})
    sent = http.post(
        "/v1/notifications", json={"recipients": ["u1"], "content": {"title": "x"}, "channels": ["in_app"]}
    )
    endpoint = http.post("/v1/recipients/u1/endpoints", json={"channel": "webhook", "url": "https://example.com/"})
    steps = [{"key": "bell", "type": "in_app", "template": {"title": "x"}}]
    http.put("/v1/workflows/comment", json={"name": "Comments", "steps": steps})
    template = {"variants": {"default": {"default": {"title": "x"}}}}
    http.put("/v1/templates/order-shipped", json=template)
    row = Notification.objects.get(project=tenant.project)
    names = {
        "recipient_id": "u1",
        "topic_key": "team-1",
        "template_key": "order-shipped",
        "workflow_key": "comment",
        "version_number": "1",
        "notification_id": sent.json()["id"],
        "endpoint_id": endpoint.json()["id"],
        "delivery_id": add_delivery(tenant, row, "failed").public_id,
        "message_id": add_message(tenant, "u1"),
        "event_id": add_event(tenant, key="support").public_id,
        "event_endpoint_key": "support",
        "action": "read",
        "schedule_key": add_schedule(tenant, key="monday-report"),
        "suppression_id": http.post("/v1/suppressions", json={"address": "u1@example.com"}).json()["id"],
        "api_key_id": http.post("/v1/api-keys", json={"name": "shop", "scopes": ["admin"]}).json()["id"],
    }
    callback = http.post("/v1/callbacks", json={"name": "relay"}).json()
    names["callback_id"] = callback["id"]
    for path, method, described in sorted(
        OPERATIONS, key=lambda operation: (operation[1] == "delete", -len(operation[0]))
    ):
        examples = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
        body = next((example["value"] for example in examples.values()), None)
        # A fresh one each time: revoking tokens is one of the examples.
        headers = {"Authorization": f"Bearer {token_of(tenant, 'u1')}"} if path.startswith("/v1/inbox/") else {}
        if path.endswith("{callback_id}/events"):
            headers = {"Authorization": f"Bearer {callback['secret']}"}
        answer = http.request(method, path.format(**names), json=body, headers=headers)
        assert answer.is_success, (method, path, answer.text)
        assert str(answer.status_code) in described["responses"]


def test_who_has_the_document_gets_304(http: httpx.Client) -> None:
    first = http.get("/v1/openapi.json")
    assert first.json() == DOCUMENT
    again = http.get("/v1/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_is_served_from_here_alone(http: httpx.Client) -> None:
    page = http.get("/v1/docs", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(files) == 4
    for name in files:
        assert name.startswith("/v1/docs/")
        asset = http.get(name, headers={"Accept": "*/*"})
        assert asset.status_code == 200
        assert len(asset.content) > 100

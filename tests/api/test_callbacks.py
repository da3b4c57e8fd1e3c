"""`/v1/callbacks`: providers report what became of mail, and only who holds the secret is heard."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from delivery.models import Delivery, DeliveryEvent
from notifications import ids
from notifications.models import IdempotencyKey, Notification, Recipient, Suppression
from tests.api.asking import Tenant, assert_problem, notification, row_counts


@pytest.fixture
def source(tenant: Tenant) -> dict[str, str]:
    made = tenant.http.post("/v1/callbacks", json={"name": "relay"})
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    return {**made.json(), "path": made.headers["location"] + "/events"}


@pytest.fixture
def nobody(connect: Callable[..., httpx.Client]) -> httpx.Client:
    """A client without an API key, as a provider is one."""
    return connect()


def sent_mail(tenant: Tenant, email: str = "ada@example.com") -> Delivery:
    """A mail that was accepted by its server."""
    tenant.http.post("/v1/notifications", json=notification(recipients=[{"id": "ada", "email": email}]))
    now = datetime.now(UTC)
    return Delivery.objects.create(
        project=tenant.project,
        notification=Notification.objects.get(project=tenant.project),
        recipient=Recipient.objects.get(project=tenant.project, external_id="ada"),
        channel="email",
        state="sent",
        reason="accepted",
        finished_at=now,
    )


def event(delivery: Delivery, **changes: Any) -> dict[str, Any]:
    return {"id": "e1", "type": "bounce", "delivery_id": delivery.public_id, "address": "ada@example.com", **changes}


def signed(secret: str, events: list[Any], *, at: datetime | None = None) -> tuple[bytes, dict[str, str]]:
    """A request as the reference library of Standard Webhooks signs it."""
    body, at = json.dumps({"events": events}).encode(), at or datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body.decode()),
        "content-type": "application/json",
    }
    return body, headers


def test_a_signed_report_is_taken(tenant: Tenant, source: dict[str, str], nobody: httpx.Client) -> None:
    delivery = sent_mail(tenant)
    reported = event(delivery, status="5.1.1", detail="550 nobody", occurred_at="2026-01-31T09:00:00Z")
    body, headers = signed(source["secret"], [reported])
    answer = nobody.post(source["path"], content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"received": 1})
    shown = tenant.http.get(f"/v1/deliveries/{delivery.public_id}").json()
    assert (shown["state"], shown["reason"]) == ("failed", "bounced")
    assert shown["events"] == [
        {
            "type": "bounce",
            "source": "callback",
            "status": "5.1.1",
            "detail": "550 nobody",
            "occurred_at": "2026-01-31T09:00:00.000Z",
        }
    ]
    (listed,) = tenant.http.get("/v1/suppressions").json()["data"]
    assert (listed["address"], listed["reason"]) == ("ada@example.com", "bounce")
    assert listed["delivery_id"] == delivery.public_id


def test_a_providers_keys_do_not_meet_the_projects(
    tenant: Tenant, source: dict[str, str], nobody: httpx.Client
) -> None:
    delivery, key = sent_mail(tenant), {"Idempotency-Key": "k1"}
    assert tenant.http.post("/v1/notifications", json=notification(), headers=key).status_code == 202
    body, headers = signed(source["secret"], [event(delivery)])
    assert nobody.post(source["path"], content=body, headers={**headers, **key}).status_code == 202
    assert DeliveryEvent.objects.filter(delivery=delivery).count() == 1
    assert IdempotencyKey.objects.filter(project=tenant.project).count() == 1


def test_told_again_it_counts_once(tenant: Tenant, source: dict[str, str], nobody: httpx.Client) -> None:
    delivery = sent_mail(tenant)
    for _ in range(3):
        body, headers = signed(source["secret"], [event(delivery), event(delivery)])
        assert nobody.post(source["path"], content=body, headers=headers).status_code == 202
    assert DeliveryEvent.objects.filter(delivery=delivery).count() == 1


@pytest.mark.parametrize(
    ("changes", "state", "reasons"),
    [
        ({"type": "bounce"}, "failed", ["bounce"]),
        ({"type": "bounce", "status": "5.2.2"}, "failed", []),
        ({"type": "delivered"}, "delivered", []),
        ({"type": "deferred", "status": "4.4.1"}, "sent", []),
        ({"type": "complaint"}, "sent", ["complaint"]),
        ({"type": "unsubscribe"}, "sent", ["unsubscribe"]),
    ],
)
def test_what_each_report_does(
    tenant: Tenant, source: dict[str, str], nobody: httpx.Client, changes: Any, state: str, reasons: list[str]
) -> None:
    delivery = sent_mail(tenant)
    reported = event(delivery, **changes)
    reported["message_id"] = f"<{reported.pop('delivery_id')}@example.org>"
    answer = nobody.post(
        source["path"], json={"events": [reported]}, headers={"Authorization": f"Bearer {source['secret']}"}
    )
    assert answer.status_code == 202, answer.text
    delivery.refresh_from_db()
    assert delivery.state == state
    assert [row.reason for row in Suppression.objects.filter(project=tenant.project)] == reasons


def test_who_cannot_prove_it_is_not_heard(
    tenant: Tenant, make_tenant: Callable[..., Tenant], source: dict[str, str], nobody: httpx.Client
) -> None:
    delivery = sent_mail(tenant)
    body, headers = signed(source["secret"], [event(delivery)])
    theirs = make_tenant().http.post("/v1/callbacks", json={"name": "theirs"}).json()["secret"]
    old = datetime.now(UTC) - timedelta(minutes=6)
    ahead = datetime.now(UTC) + timedelta(minutes=6)
    before = row_counts()
    for path, content, given in (
        (source["path"], body, {"content-type": "application/json"}),
        (source["path"], body + b" ", headers),
        (source["path"], body, {**headers, "webhook-id": "msg_2"}),
        (source["path"], body, {**headers, "webhook-timestamp": "0"}),
        (source["path"], body, {**headers, "webhook-timestamp": "9" * 400}),
        (source["path"], body, {**headers, "webhook-signature": "v1,AAAA v1a,AAAA v2 ,,, v1,%%%"}),
        (source["path"], *signed(theirs, [event(delivery)])),
        (source["path"], *signed(source["secret"], [event(delivery)], at=old)),
        (source["path"], *signed(source["secret"], [event(delivery)], at=ahead)),
        (source["path"], body, {**headers, "Authorization": f"Bearer {theirs}"}),
        (source["path"], body, {**headers, "Authorization": f"Bearer {tenant.key}"}),
        (f"/v1/callbacks/{ids.encode('cbk', ids.new_uuid())}/events", body, headers),
        ("/v1/callbacks/nonsense/events", body, headers),
    ):
        answer = nobody.post(path, content=content, headers=given)
        assert_problem(answer, 401, code="unauthorized")
        assert "www-authenticate" in answer.headers
    assert row_counts() == before
    delivery.refresh_from_db()
    assert delivery.state == "sent"


def test_another_projects_mail_and_what_is_not_there_are_ignored_alike(
    make_tenant: Callable[..., Tenant], tenant: Tenant, source: dict[str, str], nobody: httpx.Client
) -> None:
    theirs = sent_mail(make_tenant())
    unknown = {"id": "e2", "type": "bounce", "delivery_id": ids.encode("dlv", ids.new_uuid())}
    strange = {"id": "e3", "type": "bounce", "message_id": "<somebody@else>"}
    body, headers = signed(source["secret"], [event(theirs), unknown, strange])
    answer = nobody.post(source["path"], content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"received": 3})
    theirs.refresh_from_db()
    assert theirs.state == "sent"
    assert not DeliveryEvent.objects.filter(delivery=theirs).exists()
    assert not Suppression.objects.filter(source_delivery_id=theirs.id).exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"type": "opened"}, "/events/1/type"),
        ({"id": ""}, "/events/1/id"),
        ({"id": "x" * 201}, "/events/1/id"),
        ({"status": "gone"}, "/events/1/status"),
        ({"message_id": "<a@b>"}, "/events/1"),
        ({"occurred_at": "yesterday"}, "/events/1/occurred_at"),
        ({"detail": "nul \0"}, "/events/1/detail"),
        ({"mood": "bad"}, "/events/1/mood"),
    ],
)
def test_one_wrong_event_changes_nothing(
    tenant: Tenant, source: dict[str, str], nobody: httpx.Client, changes: Any, pointer: str
) -> None:
    delivery = sent_mail(tenant)
    body, headers = signed(source["secret"], [event(delivery), event(delivery, **{"id": "e2", **changes})])
    before = row_counts()
    answer = nobody.post(source["path"], content=body, headers=headers)
    assert_problem(answer, 422)
    assert any(error["pointer"].startswith(pointer) for error in answer.json()["errors"]), answer.text
    assert row_counts() == before


def test_a_source_that_is_gone_is_not_heard(tenant: Tenant, source: dict[str, str], nobody: httpx.Client) -> None:
    assert [row["id"] for row in tenant.http.get("/v1/callbacks").json()["data"]] == [source["id"]]
    assert "secret" not in tenant.http.get(f"/v1/callbacks/{source['id']}").json()
    assert tenant.http.delete(f"/v1/callbacks/{source['id']}").status_code == 204
    body, headers = signed(source["secret"], [])
    assert_problem(nobody.post(source["path"], content=body, headers=headers), 401)

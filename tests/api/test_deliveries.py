"""Deliveries over HTTP: filters, attempts, retry, replay."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.models import Attempt, Delivery
from notifications import ids
from notifications.models import Notification
from tests.api.asking import Tenant, assert_problem, row_counts
from tests.api.test_notifications import add_delivery


@pytest.fixture
def row(tenant: Tenant) -> Notification:
    return Notification.objects.create(
        project=tenant.project, recipients=["u1"], content={}, channels=["email"], status="routed", available_at=None
    )


def test_a_delivery_says_what_the_contract_says(tenant: Tenant, row: Notification) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    hook = tenant.http.post("/v1/recipients/u1/endpoints", json={"channel": "webhook", "url": "https://example.com/"})
    endpoint = ids.decode("end", hook.json()["id"])
    due = datetime(2030, 1, 1, tzinfo=UTC)
    delivery = add_delivery(
        tenant, row, "retrying", channel="webhook", endpoint_id=endpoint, available_at=due, attempt_count=1
    )
    Attempt.objects.create(
        id=ids.new_uuid(), delivery=delivery, number=1, duration_ms=12, outcome="http_503", response={"status": 503}
    )
    found = tenant.http.get(f"/v1/deliveries/{delivery.public_id}").json()
    attempts = found.pop("attempts")
    assert found.pop("events") == []
    assert found == {
        "id": delivery.public_id,
        "notification_id": row.public_id,
        "recipient": "u1",
        "channel": "webhook",
        "endpoint": hook.json()["id"],
        "state": "retrying",
        "reason": None,
        "attempt_count": 1,
        "next_attempt_at": "2030-01-01T00:00:00.000Z",
        "created_at": found["created_at"],
        "finished_at": None,
    }
    assert [(a["number"], a["duration_ms"], a["outcome"], a["response"]) for a in attempts] == [
        (1, 12, "http_503", {"status": 503})
    ]
    assert tenant.http.get("/v1/deliveries").json()["data"] == [found]
    assert tenant.http.delete(hook.headers["location"]).status_code == 204
    assert tenant.http.get(f"/v1/deliveries/{delivery.public_id}").json()["endpoint"] == hook.json()["id"]


def test_two_endpoints_of_one_notification_can_both_be_removed(tenant: Tenant, row: Notification) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    hook = {"channel": "webhook", "url": "https://example.com/"}
    places = [tenant.http.post("/v1/recipients/u1/endpoints", json=hook).headers["location"] for _ in range(2)]
    for place in places:
        add_delivery(tenant, row, "sent", channel="webhook", endpoint_id=ids.decode("end", place.rsplit("/", 1)[1]))
    assert [tenant.http.delete(place).status_code for place in places] == [204, 204]
    assert Delivery.objects.filter(notification=row).count() == 2


def test_filters_narrow_together(tenant: Tenant, row: Notification) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    old_id = ids.UUID(int=int(long_ago.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62)
    old = add_delivery(tenant, row, "failed", to="old", id=old_id, created_at=long_ago)
    failed = add_delivery(tenant, row, "failed")
    other = add_delivery(tenant, row, "sent", to="u2", channel="in_app")

    def found(**query: Any) -> list[str]:
        return [item["id"] for item in tenant.http.get("/v1/deliveries", params=query).json()["data"]]

    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert found() == [other.public_id, failed.public_id, old.public_id]
    assert found(state="failed") == [failed.public_id, old.public_id]
    assert found(channel="in_app") == [other.public_id]
    assert found(recipient="u1") == [failed.public_id]
    assert found(since=yesterday) == [other.public_id, failed.public_id]
    assert found(until=yesterday) == [old.public_id]
    assert found(since="2020-01-01T00:00:00Z", until="2020-01-01T00:00:00.001Z") == [old.public_id]
    assert found(state="failed", recipient="u2") == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("state", "lost"), ("since", "yesterday"), ("since", "2026-01-01T00:00:00"), ("until", "9999-12-31T23:59:59-12:00"),
        ("recipient", "\x00"), ("channel", "\n"), ("limit", "0"), ("limit", "101"), ("limit", "+5"), ("limit", "٣"),
        ("unknown", "1"),
    ],
)  # fmt: skip
def test_bad_filters_name_the_parameter(tenant: Tenant, parameter: str, value: str) -> None:
    assert_problem(tenant.http.get("/v1/deliveries", params={parameter: value}), 422, pointer=f"/{parameter}")


def test_retry_gives_a_fresh_schedule(tenant: Tenant, row: Notification) -> None:
    failed = add_delivery(tenant, row, "failed", retry_step=9, attempt_count=10)
    answer = tenant.http.post(f"/v1/deliveries/{failed.public_id}/retry")
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["reason"], answer.json()["finished_at"]) == ("queued", None, None)
    failed.refresh_from_db()
    assert (failed.retry_step, failed.attempt_count) == (0, 10)
    assert failed.available_at is not None
    assert_problem(tenant.http.post(f"/v1/deliveries/{failed.public_id}/retry"), 409, code="conflict")


def test_replay_by_filter(tenant: Tenant, row: Notification) -> None:
    failed = [add_delivery(tenant, row, "failed", to=f"u{n}") for n in range(3)]
    sent = add_delivery(tenant, row, "sent", to="fine")
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    before = row_counts()
    assert tenant.http.post("/v1/deliveries/replay", json={"until": hour_ago}).json() == {"count": 0, "next": None}
    answer = tenant.http.post("/v1/deliveries/replay", json={"state": "failed", "since": hour_ago, "channel": "email"})
    assert (answer.status_code, answer.json()) == (202, {"count": 3, "next": None})
    assert {row.state for row in Delivery.objects.filter(id__in=[item.id for item in failed])} == {"queued"}
    sent.refresh_from_db()
    assert sent.state == "sent"
    assert row_counts() == before


@pytest.mark.parametrize(
    "body", [{}, {"channel": "email"}, {"state": "sent"}, {"state": "failed", "since": "never"}, []]
)
def test_replay_needs_a_bound(tenant: Tenant, row: Notification, body: Any) -> None:
    failed = add_delivery(tenant, row, "failed")
    assert_problem(tenant.http.post("/v1/deliveries/replay", json=body), 422)
    failed.refresh_from_db()
    assert failed.state == "failed"

"""Accepting over HTTP: one, many, dry; then reading and cancelling what was accepted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.models import Delivery
from notifications import ids
from notifications.models import Notification, Recipient, Topic
from tests.api.asking import Tenant, assert_problem, notification, row_counts

DECIDED_BY_NOBODY = {"preference": "default", "overruled": None, "not_before": None}


def stored(tenant: Tenant) -> list[Notification]:
    return list(Notification.objects.filter(project=tenant.project).order_by("id"))


def test_202_means_it_is_in_the_database(tenant: Tenant) -> None:
    tenant.http.put("/v1/topics/t", json={})
    body = notification(
        recipients=["u1", {"id": "u2", "email": "u2@Example.com", "data": {"a": 1}}, {"topic": "t"}],
        data={"order": 17}, category="orders", critical=True, actor="u9", metadata={"m": []}, cancellation_key="o-17",
    )  # fmt: skip
    answer = tenant.http.post("/v1/notifications", json=body)
    assert answer.status_code == 202
    (row,) = stored(tenant)
    assert answer.json() == {"id": row.public_id, "status": "accepted", "created_at": answer.json()["created_at"]}
    assert answer.headers["location"] == f"/v1/notifications/{row.public_id}"
    assert row.recipients == ["u1", "u2", {"topic": "t"}]
    assert (row.data, row.category, row.critical, row.actor) == ({"order": 17}, "orders", True, "u9")
    assert Recipient.objects.get(project=tenant.project, external_id="u2").email == "u2@example.com"
    read = tenant.http.get(answer.headers["location"]).json()
    assert read["content"]["title"] == "Hello"
    assert set(read["deliveries"].values()) == {0}


def test_inline_recipient_changes_only_what_it_names(tenant: Tenant) -> None:
    tenant.http.put("/v1/recipients/u1", json={"name": "Ada", "email": "a@example.com", "data": {"x": 1}})
    tenant.http.post("/v1/notifications", json=notification(recipients=[{"id": "u1", "email": None, "locale": "de"}]))
    now = tenant.http.get("/v1/recipients/u1").json()
    assert (now["name"], now["email"], now["locale"], now["data"]) == ("Ada", None, "de", {"x": 1})


def test_thread_and_files_are_kept_as_given(tenant: Tenant) -> None:
    file = {"name": "a.pdf", "url": "https://files.example/a.pdf"}
    image = {"name": "a", "url": "https://files.example/a", "type": "image/png", "inline": "logo"}
    said = {"title": "x", "body": "![logo](cid:logo)", "attachments": [file, image]}
    sent = tenant.http.post("/v1/notifications", json=notification(thread="ticket/42", content=said))
    assert sent.status_code == 202, sent.text
    found = tenant.http.get(f"/v1/notifications/{sent.json()['id']}").json()
    assert found["thread"] == "ticket/42"
    assert found["content"]["attachments"] == [{**file, "type": None, "inline": None}, image]
    plain = tenant.http.post("/v1/notifications", json=notification())
    found = tenant.http.get(f"/v1/notifications/{plain.json()['id']}").json()
    assert (found["thread"], found["content"]["attachments"]) == (None, [])


def test_times(tenant: Tenant) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    past = notification(send_at="2001-01-01T00:00:00+02:00")
    later = notification(send_at=soon.isoformat(), expires_at=(soon + timedelta(hours=1)).isoformat())
    assert tenant.http.post("/v1/notifications", json=past).status_code == 202
    assert tenant.http.post("/v1/notifications", json=later).status_code == 202
    first, second = stored(tenant)
    assert first.send_at is None
    assert second.send_at == second.available_at == soon


def test_bulk_answers_entry_by_entry(tenant: Tenant) -> None:
    entries = [
        notification(),
        notification(recipients=[]),
        notification(recipients=[{"topic": "unknown"}]),
        notification(channels=["pigeon"]),
        notification(content={"title": "last"}),
    ]
    answer = tenant.http.post("/v1/notifications/bulk", json={"notifications": entries})
    assert answer.status_code == 202
    results = answer.json()["data"]
    rows = stored(tenant)
    assert [results[0]["id"], results[4]["id"]] == [row.public_id for row in rows]
    assert [result["status"] for result in results[1:4]] == [422, 422, 422]
    assert results[2]["errors"][0]["pointer"] == "/recipients/0/topic"
    assert rows[1].content["title"] == "last"


@pytest.mark.parametrize("body", [[], {}, {"notifications": []}, {"notifications": {}}, {"notifications": [1], "x": 1}])
def test_bulk_needs_its_envelope(tenant: Tenant, body: Any) -> None:
    assert_problem(tenant.http.post("/v1/notifications/bulk", json=body), 422)
    assert_problem(tenant.http.post("/v1/notifications/bulk", json={"notifications": [notification()] * 1001}), 422)
    assert stored(tenant) == []


def test_dry_run_shows_the_plan_and_writes_nothing(tenant: Tenant) -> None:
    http = tenant.http
    http.put("/v1/recipients/u1", json={"email": "u1@example.com"})
    hook = http.post("/v1/recipients/u1/endpoints", json={"channel": "webhook", "url": "https://example.com/"}).json()
    off = http.post("/v1/recipients/u1/endpoints", json={"channel": "webhook", "url": "https://example.com/off"})
    http.patch(off.headers["location"], json={"state": "disabled"})
    http.post("/v1/topics/t/subscriptions", json={"recipients": ["u1", *(f"m{n}" for n in range(120))]})
    before = row_counts()
    body = notification(
        recipients=["u1", {"id": "new", "email": "new@example.com"}, {"topic": "t"}],
        channels=["in_app", "webhook"],
    )
    answer = http.post("/v1/notifications?dry_run=true", json=body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200
    assert row_counts() == before
    one, new, topic = answer.json()["entries"]
    assert one["recipients"][0]["ways"] == [
        {
            "channel": "in_app",
            "step": None,
            "delivers": True,
            "address": None,
            "endpoint": None,
            "reason": None,
            **DECIDED_BY_NOBODY,
        },
        {
            "channel": "webhook",
            "step": None,
            "delivers": True,
            "address": "https://example.com/",
            "endpoint": hook["id"],
            "reason": None,
            **DECIDED_BY_NOBODY,
        },
    ]
    assert new["recipients"][0]["known"] is False
    assert new["recipients"][0]["ways"][1]["reason"] == "no_endpoint"
    assert topic["entry"] == {"topic": "t"}
    assert topic["count"] == 121
    assert len(topic["recipients"]) == 100
    again = next(row for row in topic["recipients"] if row["recipient"] == "u1")
    assert {way["reason"] for way in again["ways"]} == {"listed_before"}


def test_dry_run_refuses_what_sending_would_refuse(tenant: Tenant) -> None:
    unknown = notification(recipients=["u1", {"topic": "unknown"}])
    dry = tenant.http.post("/v1/notifications?dry_run=true", json=unknown)
    assert_problem(dry, 422, pointer="/recipients/1/topic")
    assert dry.json() == tenant.http.post("/v1/notifications", json=unknown).json()
    for query in ("dryrun=true", "dry_run=yes", "dry_run=true&dry_run=true"):
        assert_problem(tenant.http.post(f"/v1/notifications?{query}", json=notification()), 422)
    assert stored(tenant) == []


def add_delivery(tenant: Tenant, row: Notification, state: str, **fields: Any) -> Delivery:
    recipient, _ = Recipient.objects.get_or_create(project=tenant.project, external_id=fields.pop("to", "u1"))
    is_open = state in ("scheduled", "queued", "sending", "retrying")
    times = {"available_at": row.created_at} if is_open else {"finished_at": row.created_at, "reason": "test"}
    values: dict[str, Any] = {"channel": "email", **times, **fields}
    return Delivery.objects.create(project=tenant.project, notification=row, recipient=recipient, state=state, **values)


def test_counts_and_deliveries_of_one(tenant: Tenant) -> None:
    where = tenant.http.post("/v1/notifications", json=notification()).headers["location"]
    (row,) = stored(tenant)
    made = [
        add_delivery(tenant, row, "sent"),
        add_delivery(tenant, row, "sent", to="u2"),
        add_delivery(tenant, row, "queued", to="u3"),
    ]
    counts = tenant.http.get(where).json()["deliveries"]
    assert {state: count for state, count in counts.items() if count} == {"sent": 2, "queued": 1}
    listed = tenant.http.get(f"{where}/deliveries").json()["data"]
    assert [item["id"] for item in listed] == [delivery.public_id for delivery in reversed(made)]
    assert {item["notification_id"] for item in listed} == {row.public_id}


def test_cancel_one(tenant: Tenant) -> None:
    where = tenant.http.post("/v1/notifications", json=notification()).headers["location"]
    (row,) = stored(tenant)
    waiting, gone = add_delivery(tenant, row, "queued"), add_delivery(tenant, row, "sent", to="u2")
    assert tenant.http.post(f"{where}/cancel").json() == {"notifications": 1, "cancelled_deliveries": 1}
    waiting.refresh_from_db()
    gone.refresh_from_db()
    row.refresh_from_db()
    assert (row.status, waiting.state, gone.state) == ("cancelled", "cancelled", "sent")
    assert waiting.reason == "cancelled_by_caller"


def test_cancel_when_everything_has_gone_out(tenant: Tenant) -> None:
    where = tenant.http.post("/v1/notifications", json=notification()).headers["location"]
    (row,) = stored(tenant)
    Notification.objects.filter(id=row.id).update(status="routed", available_at=None)
    add_delivery(tenant, row, "sent")
    assert_problem(tenant.http.post(f"{where}/cancel"), 409, code="conflict")


def test_cancel_by_key(tenant: Tenant) -> None:
    for key in ("a", "a", "b"):
        tenant.http.post("/v1/notifications", json=notification(cancellation_key=key))
    answer = tenant.http.post("/v1/notifications/cancel", json={"cancellation_key": "a"})
    assert answer.json() == {"notifications": 2, "cancelled_deliveries": 0}
    assert [row.status for row in stored(tenant)] == ["cancelled", "cancelled", "accepted"]
    nothing = tenant.http.post("/v1/notifications/cancel", json={"cancellation_key": "none"})
    assert nothing.json() == {"notifications": 0, "cancelled_deliveries": 0}


def test_list_is_newest_first_and_unknown_is_404(tenant: Tenant) -> None:
    for title in ("one", "two", "three"):
        tenant.http.post("/v1/notifications", json=notification(content={"title": title}))
    listed = tenant.http.get("/v1/notifications", params={"limit": 2}).json()
    assert [item["content"]["title"] for item in listed["data"]] == ["three", "two"]
    rest = tenant.http.get("/v1/notifications", params={"limit": 2, "after": listed["next"]}).json()
    assert [item["content"]["title"] for item in rest["data"]] == ["one"]
    unknown = ids.encode("ntf", ids.new_uuid())
    assert_problem(tenant.http.get(f"/v1/notifications/{unknown}"), 404)
    topic = Topic.objects.create(project=tenant.project, key="x")
    assert_problem(tenant.http.get(f"/v1/notifications/{ids.encode('dlv', topic.id)}"), 404)


def test_what_becomes_of_it_in_quiet_hours_can_be_said(tenant: Tenant) -> None:
    http = tenant.http
    sent = http.post("/v1/notifications", json=notification(quiet_hours="break_through")).json()["id"]
    assert http.get(f"/v1/notifications/{sent}").json()["quiet_hours"] == "break_through"
    explained = http.get(f"/v1/notifications/{sent}/explain").json()["decisions"]
    said = [decision for decision in explained if decision["code"] == "quiet_hours"]
    assert [decision["detail"] for decision in said] == [{"policy": "break_through"}]
    unsaid = http.post("/v1/notifications", json=notification(quiet_hours=None, send_at="2026-01-01T00:00:00Z")).json()
    assert http.get(f"/v1/notifications/{unsaid['id']}").json()["quiet_hours"] is None
    before = row_counts()
    for value in ("digest", "later", True):
        body = notification(quiet_hours=value)
        assert_problem(http.post("/v1/notifications", json=body), 422, pointer="/quiet_hours")
    step = {"key": "bell", "type": "in_app", "template": {"title": "Hello"}}
    workflow = {"workflow": "greet", "recipients": ["u1"], "quiet_hours": "defer"}
    assert_problem(http.post("/v1/notifications", json=workflow), 422, pointer="/quiet_hours")
    assert row_counts() == before
    assert http.put("/v1/workflows/greet", json={"name": "Greeting", "steps": [step]}).status_code == 201
    assert_problem(http.post("/v1/notifications", json=workflow), 422, pointer="/quiet_hours")

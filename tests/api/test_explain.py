"""`GET /v1/notifications/{id}/explain`: what was decided, by the same code that decides."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from delivery.models import Attempt, Delivery
from notifications import ids
from notifications.models import ApiKey, Endpoint, Notification
from tests.api.asking import Tenant, assert_problem, notification
from tests.api.test_notifications import add_delivery


def explained(tenant: Tenant, where: str, **query: Any) -> Any:
    answer = tenant.http.get(f"{where}/explain", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def accept(tenant: Tenant, **changes: Any) -> str:
    return str(tenant.http.post("/v1/notifications", json=notification(**changes)).headers["location"])


def routed(tenant: Tenant, **changes: Any) -> tuple[str, Notification]:
    """A notification as routing leaves it."""
    where = accept(tenant, **changes)
    row = Notification.objects.get(project=tenant.project)
    Notification.objects.filter(id=row.id).update(status="routed", available_at=None, routed_at=Now())
    row.refresh_from_db()
    return where, row


def test_who_accepted_what_and_what_would_happen_now(tenant: Tenant) -> None:
    tenant.http.put("/v1/recipients/u1", json={"email": "u1@example.com"})
    tenant.http.put("/v1/topics/t", json={})
    send_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    expires_at = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    body = notification(recipients=["u1", "new", {"topic": "t"}], channels=["in_app", "webhook"], critical=True)
    where = accept(tenant, **{**body, "send_at": send_at, "expires_at": expires_at})
    said = explained(tenant, where)
    key = ApiKey.objects.get(project=tenant.project)
    decisions = {each["code"]: each for each in said["decisions"]}
    assert list(decisions) == ["accepted", "critical", "scheduled", "expires", "waiting"]
    assert decisions["accepted"]["detail"] == {"api_key": {"id": ids.encode("key", key.id), "name": "test"}}
    assert "with the API key 'test'" in decisions["accepted"]["summary"]
    assert decisions["waiting"]["detail"]["topics"] == [{"topic": "t", "state": "waiting"}]
    assert decisions["waiting"]["detail"]["next_look_at"] == decisions["scheduled"]["detail"]["send_at"]
    dry = tenant.http.post("/v1/notifications?dry_run=true", json=body).json()
    assert said["plan"] == dry["entries"]
    assert (said["counts"], said["data"]) == ([], [])


def test_entries_of_a_bulk_know_their_key_too(tenant: Tenant) -> None:
    tenant.http.post("/v1/notifications/bulk", json={"notifications": [notification()]})
    assert Notification.objects.get(project=tenant.project).api_key_id == ApiKey.objects.get(project=tenant.project).id


def test_how_far_a_topic_has_come(tenant: Tenant) -> None:
    for name in ("a", "b", "c"):
        tenant.http.put(f"/v1/topics/{name}", json={})
    where = accept(tenant, recipients=[{"topic": "a"}, {"topic": "b"}, {"topic": "c"}])
    row = Notification.objects.get(project=tenant.project)
    Notification.objects.filter(id=row.id).update(
        route_cursor={"entry": 1, "after": ids.new_uuid().hex}, lease_token=ids.new_uuid()
    )
    add_delivery(tenant, row, "queued", channel="in_app")
    progress = explained(tenant, where)["decisions"][-1]
    assert progress["code"] == "routing"
    assert [topic["state"] for topic in progress["detail"]["topics"]] == ["expanded", "expanding", "waiting"]
    assert progress["detail"]["deliveries"] == 1


def test_every_delivery_says_why(tenant: Tenant) -> None:
    where, row = routed(tenant)
    due = datetime(2030, 1, 1, tzinfo=UTC)
    retrying = add_delivery(
        tenant, row, "retrying", channel="webhook", reason="http_503", retry_step=2, available_at=due, attempt_count=1
    )
    Attempt.objects.create(
        id=ids.new_uuid(), delivery=retrying, number=1, duration_ms=12, outcome="http_503", response={"status": 503}
    )
    unreachable = add_delivery(tenant, row, "failed", to="u2", reason="no_email")
    said = explained(tenant, where)
    assert [each["id"] for each in said["data"]] == [unreachable.public_id, retrying.public_id]
    assert said["counts"] == [
        {"channel": "email", "state": "failed", "reason": "no_email", "count": 1, "summary": "The recipient has no email address.", "actor": "caller"},
        {"channel": "webhook", "state": "retrying", "reason": "http_503", "count": 1, "summary": "The receiver answered with status 503 Service Unavailable.", "actor": "receiver"},
    ]  # fmt: skip
    waiting = said["data"][1]
    assert waiting["next_attempt"] == {
        "at": "2030-01-01T00:00:00.000Z",
        "why": "retry_schedule",
        "step": 2,
        "steps": 9,
        "summary": "The next attempt is at 2030-01-01T00:00:00.000Z, step 2 of 9 of the schedule.",
    }
    assert [each["code"] for each in waiting["decisions"]] == ["used", "attempt"]
    assert said["summary"].endswith("now routed. Deliveries: 1 failed, 1 retrying.")
    assert said["plan"] == []
    assert said["decisions"][-1]["code"] == "routed"


def test_large_ones_are_paged_and_narrowed_to_a_recipient(tenant: Tenant) -> None:
    where, row = routed(tenant)
    made = [add_delivery(tenant, row, "sent", to=f"u{n}") for n in range(5)]
    first = explained(tenant, where, limit=3)
    rest = explained(tenant, where, limit=3, after=first["next"])
    assert [each["id"] for each in first["data"] + rest["data"]] == [each.public_id for each in reversed(made)]
    assert first["counts"][0]["count"] == rest["counts"][0]["count"] == 5
    one = explained(tenant, where, recipient="u3")
    assert [each["recipient"] for each in one["data"]] == ["u3"]
    assert_problem(
        tenant.http.get(f"{where}/explain", params={"recipient": "u3", "after": first["next"]}), 422, pointer="/after"
    )
    assert explained(tenant, where, recipient="nobody")["data"] == []


def test_a_page_costs_the_same_however_many_deliveries_are_on_it(tenant: Tenant) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from api import paging
    from delivery.explain.reading import explain_notification

    _, row = routed(tenant)

    def cost() -> int:
        page = paging.read_page({}, name="x", project_id=tenant.project.id)
        with CaptureQueriesContext(connection) as queries:
            explain_notification(row, recipient=None, page=lambda rows, out: paging.cut(rows, page, out))
        return len(queries)

    add_delivery(tenant, row, "sent")
    few = cost()
    for n in range(20):
        add_delivery(tenant, row, "sent", to=f"more{n}")
    assert cost() == few


def test_what_ended_before_it_was_routed_says_so(tenant: Tenant) -> None:
    where = accept(tenant)
    tenant.http.post(f"{where}/cancel")
    said = explained(tenant, where)
    assert (said["status"], said["reason"]) == ("cancelled", "cancelled_by_caller")
    assert said["decisions"][-1]["code"] == "cancelled"
    assert "cancelled before it was sent" in said["decisions"][-1]["summary"]


def test_an_endpoints_own_schedule_is_the_one_that_is_told(tenant: Tenant) -> None:
    where, row = routed(tenant)
    delivery = add_delivery(tenant, row, "retrying", channel="webhook")
    endpoint = Endpoint.objects.create(
        project=tenant.project,
        recipient=delivery.recipient,
        channel="webhook",
        url="https://a.example",
        retry_seconds=[5],
    )
    Delivery.objects.filter(id=delivery.id).update(
        endpoint=endpoint, reason="http_503", retry_step=1, available_at=Now() + timedelta(seconds=5)
    )
    (said,) = explained(tenant, where)["data"]
    assert (said["next_attempt"]["step"], said["next_attempt"]["steps"]) == (1, 1)
    endpoint.delete()
    (said,) = explained(tenant, where)["data"]
    assert said["next_attempt"]["steps"] > 1

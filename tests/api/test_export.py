"""A person's export holds all that is kept, and after erasing nothing of it is left anywhere."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.db import connection

from api.serializers.export import TYPES
from delivery.models import Attempt, Delivery
from notifications import ids
from notifications.models import InboxMessage, Notification, Recipient
from tests.api.asking import Tenant, add_message, assert_problem, notification


def lines_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.content.endswith(b"\n")
    return [json.loads(line) for line in answer.content.splitlines()]


@pytest.fixture
def person() -> str:
    """An id that is found wherever it is kept, and nowhere else."""
    return f"canary-{ids.new_uuid().hex}"


def plant(tenant: Tenant, person: str) -> Notification:
    """One of everything that names the person, or says something only to them."""
    http = tenant.http
    http.put(
        f"/v1/recipients/{person}",
        json={"email": f"{person}@example.com", "name": f"{person} Ada", "data": {"x": person}},
    )
    http.post(
        f"/v1/recipients/{person}/endpoints", json={"channel": "webhook", "url": f"https://{person}.example.com/"}
    )
    http.post("/v1/topics/t/subscriptions", json={"recipients": [person, "other"]})
    http.post("/v1/suppressions", json={"address": f"{person}@example.com"})
    recipient = Recipient.objects.get(project=tenant.project, external_id=person)
    http.put(f"/v1/recipients/{person}/preferences", json={"categories": {"news": {"email": False}}})
    add_message(tenant, person)
    for_both = {"id": person, "email": f"{person}@example.com"}
    plan = {"every": "P1D", "notification": notification(recipients=["other", for_both], actor=person)}
    http.put("/v1/schedules/shared", json=plan).raise_for_status()
    row = Notification.objects.create(
        project=tenant.project,
        recipients=[person],
        content={"title": f"To {person}", "body": "", "action_url": None},
        channels=["email"],
        data={"to": person},
        metadata={"to": person},
        cancellation_key=person,
        status="routed",
        available_at=None,
    )
    delivery = Delivery.objects.create(
        project=tenant.project,
        notification=row,
        recipient=recipient,
        channel="email",
        state="sent",
        reason="accepted",
        finished_at=row.created_at,
    )
    Attempt.objects.create(id=ids.new_uuid(), delivery=delivery, number=1, response={"text": f"for {person}"})
    return row


def test_everything_that_is_kept_comes_line_by_line(tenant: Tenant, person: str) -> None:
    row = plant(tenant, person)
    lines = lines_of(tenant.http.get(f"/v1/recipients/{person}/export"))
    assert [line["type"] for line in lines] == sorted((line["type"] for line in lines), key=TYPES.index)
    found = {line["type"]: line["data"] for line in lines}
    assert set(found) == set(TYPES)
    assert found["recipient"]["email"] == f"{person}@example.com"
    assert found["message"]["title"] == "secret"
    assert found["notification"]["id"] == row.public_id and "recipients" not in found["notification"]
    assert found["delivery"]["attempts"][0]["response"] == {"text": f"for {person}"}
    assert found["subscription"]["topic"] == "t"
    assert found["schedule"]["key"] == "shared"
    assert [entry["id"] for entry in found["schedule"]["notification"]["recipients"]] == [person]
    assert "whsec" not in json.dumps(lines)


def test_an_export_of_many_pages_has_each_row_once(tenant: Tenant) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    recipient = Recipient.objects.get(project=tenant.project)
    add_message(tenant, "u1")
    InboxMessage.objects.bulk_create(
        InboxMessage(
            project=tenant.project, recipient=recipient, delivery_id=ids.new_uuid(), offset=n, title="x", body=""
        )
        for n in range(2, 1002)
    )
    lines = lines_of(tenant.http.get("/v1/recipients/u1/export"))
    offsets = [line["data"]["offset"] for line in lines if line["type"] == "message"]
    assert sorted(offsets) == list(range(1, 1002))


def test_unknown_and_forbidden(tenant: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    assert_problem(tenant.http.get("/v1/recipients/no/export"), 404, code="not_found")
    sender = make_tenant(scopes=("notifications:write",))
    assert_problem(sender.http.get("/v1/recipients/no/export"), 403)
    tenant.http.put("/v1/recipients/u1", json={})
    head = tenant.http.head("/v1/recipients/u1/export")
    assert (head.status_code, head.content) == (200, b"")


def test_after_erasing_no_column_of_any_table_knows_the_person(tenant: Tenant, person: str) -> None:
    row = plant(tenant, person)
    tenant.http.put("/v1/recipients/other", json={})
    shared = tenant.http.post("/v1/notifications", json=notification(recipients=[person, "other"], actor=person)).json()
    alone = tenant.http.post(
        "/v1/notifications",
        json=notification(recipients=[person], content={"title": f"Dear {person}"}, send_at="2100-01-01T00:00:00Z"),
    )
    assert_problem(alone, 422)  # too far ahead: nothing of it may be left either
    later = tenant.http.post(
        "/v1/notifications", json=notification(recipients=[person], content={"title": person})
    ).json()
    cancelled = tenant.http.post("/v1/notifications", json=notification(recipients=[person, {"topic": "t"}])).json()
    tenant.http.post(f"/v1/notifications/{cancelled['id']}/cancel")
    Notification.objects.filter(id=ids.decode("ntf", shared["id"])).update(acknowledged_by=person)
    acted = add_message(tenant, "other")
    InboxMessage.objects.filter(id=ids.decode("msg", acted)).update(actor=person)
    mine = notification(recipients=[person], content={"title": f"Dear {person}"}, metadata={"for": person})
    tenant.http.put("/v1/schedules/mine", json={"every": "P1D", "notification": mine}).raise_for_status()
    climb = {"key": "climb", "type": "escalate", "every": "PT5M", "channels": ["in_app"], "template": {"title": "x"}}
    for to in ([person], ["other", person]):
        workflow = {"name": "Alarm", "steps": [{**climb, "to": to}]}
        tenant.http.put("/v1/workflows/alarm", json=workflow).raise_for_status()
    assert tenant.http.delete(f"/v1/recipients/{person}").status_code == 204
    assert traces(person) == []
    assert tenant.http.get("/v1/workflows/alarm").json()["definition"]["steps"][0]["to"] == ["other"]
    first = tenant.http.get("/v1/workflows/alarm/versions/1").json()
    assert first["definition"]["steps"][0]["to"] == []
    assert_problem(tenant.http.post("/v1/workflows/alarm/versions/1/publish"), 422, pointer="/steps/0/to")
    kept = Notification.objects.get(id=row.id)
    assert (kept.recipients, kept.status, kept.content["title"], kept.data) == ([], "routed", "", {})
    assert tenant.http.get(f"/v1/notifications/{shared['id']}").json()["recipients"] == ["other"]
    assert tenant.http.get(f"/v1/notifications/{shared['id']}").json()["content"]["title"] == "Hello"
    assert tenant.http.get(f"/v1/notifications/{later['id']}").json()["status"] == "accepted"
    assert tenant.http.get(f"/v1/notifications/{cancelled['id']}").json()["recipients"] == [{"topic": "t"}]


def test_a_namesake_in_another_project_keeps_everything(
    tenant: Tenant, make_tenant: Callable[..., Tenant], person: str
) -> None:
    other = make_tenant()
    theirs = plant(other, person)
    plant(tenant, person)
    assert tenant.http.delete(f"/v1/recipients/{person}").status_code == 204
    assert Notification.objects.get(id=theirs.id).recipients == [person]
    assert len(lines_of(other.http.get(f"/v1/recipients/{person}/export"))) >= len(TYPES)


def traces(word: str) -> list[str]:
    """Which columns of any table of ours still hold the word."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{word}%"])
            if (row := cursor.fetchone()) and row[0]:
                found.append(table)
    return found

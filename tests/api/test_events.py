"""Event endpoints and the log of status events over HTTP."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connection

from delivery.models import EventEndpoint, StatusDispatch, StatusEvent
from delivery.status_events.endpoints import MOST_PER_PROJECT
from notifications import ids
from notifications.ids import new_uuid
from notifications.models import Notification, Recipient
from notifications.sealing import unseal
from tests.api.asking import Tenant, add_event, assert_problem, notification, row_counts
from tests.api.test_notifications import add_delivery

WHERE = "/v1/events/endpoints/support"
BODY = {"url": "https://example.com/status"}


def test_the_first_put_makes_it_and_shows_its_secret_once(tenant: Tenant) -> None:
    first = tenant.http.put(WHERE, json={**BODY, "types": ["delivery.failed"], "description": "Tells support"})
    assert first.status_code == 201
    made = first.json()
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        "key": "support",
        "url": "https://example.com/status",
        "types": ["delivery.failed"],
        "description": "Tells support",
        "state": "enabled",
        "disabled_reason": None,
        "created_at": made["created_at"],
    }
    row = EventEndpoint.objects.get(project=tenant.project)
    assert secret not in row.sealed_secret
    assert unseal(row.sealed_secret) == secret
    assert tenant.http.get(WHERE).json() == made
    assert tenant.http.get("/v1/events/endpoints").json()["data"] == [made]


def test_another_put_replaces_everything_but_the_secret(tenant: Tenant) -> None:
    secret = tenant.http.put(WHERE, json={**BODY, "types": ["delivery.failed"], "description": "x"}).json()["secret"]
    again = tenant.http.put(WHERE, json={"url": "https://example.com/other", "state": "disabled"})
    assert again.status_code == 200
    assert "secret" not in again.json()
    assert (again.json()["types"], again.json()["description"]) == ([], "")
    assert (again.json()["state"], again.json()["disabled_reason"]) == ("disabled", "disabled_by_caller")
    assert tenant.http.put(WHERE, json=BODY).json()["disabled_reason"] is None
    assert unseal(EventEndpoint.objects.get(project=tenant.project).sealed_secret) == secret


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"url": "http://127.0.0.1:1/", }, "/url"), ({"url": "ftp://example.com/"}, "/url"), ({"url": None}, "/url"),
        ({"url": "http://169.254.169.254/"}, "/url"), ({"types": ["delivery.lost"]}, "/types/0"), ({"types": "delivery.sent"}, "/types"),
        ({"state": "gone"}, "/state"), ({"description": "two\nlines"}, "/description"), ({"secret": "whsec_x"}, "/secret"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_changes_nothing(
    tenant: Tenant, changes: dict[str, Any], pointer: str, settings: Any
) -> None:
    settings.CARILLON_WEBHOOK_ALLOW = []
    before = row_counts()
    assert_problem(tenant.http.put(WHERE, json={**BODY, **changes}), 422, pointer=pointer)
    assert row_counts() == before


def test_a_project_has_so_many_and_no_more_however_many_ask_at_once(
    tenant: Tenant, connect: Callable[..., httpx.Client]
) -> None:
    answers: list[int] = []

    def ask(client: httpx.Client, number: int) -> None:
        answers.append(client.put(f"/v1/events/endpoints/e{number}", json=BODY).status_code)

    threads = [
        threading.Thread(target=ask, args=(connect(tenant.key), number)) for number in range(MOST_PER_PROJECT + 3)
    ]
    connection.close()  # given back, so that the server's threads find one each without another being opened
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] * MOST_PER_PROJECT + [409] * 3


def test_only_an_admin_key_changes_where_things_are_told(make_tenant: Callable[..., Tenant]) -> None:
    reader = make_tenant(scopes=("notifications:read", "notifications:write", "recipients:write"))
    assert reader.http.get("/v1/events").status_code == 200
    assert reader.http.get("/v1/events/endpoints").status_code == 200
    assert_problem(reader.http.put(WHERE, json=BODY), 403)
    assert_problem(reader.http.delete(WHERE), 403)


def test_removing_drops_what_was_still_to_be_told(tenant: Tenant) -> None:
    event = add_event(tenant, key="support")
    assert tenant.http.delete(WHERE).status_code == 204
    assert_problem(tenant.http.get(WHERE), 404)
    assert not StatusDispatch.objects.filter(event=event).exists()
    assert tenant.http.get(f"/v1/events/{event.public_id}").json()["dispatches"] == []


def test_the_log_is_paged_and_filtered_and_shows_how_the_telling_goes(tenant: Tenant) -> None:
    events = [add_event(tenant, key="support") for _ in range(3)]
    other = StatusEvent.objects.create(project=tenant.project, type="delivery.sent", data={})
    page = tenant.http.get("/v1/events", params={"limit": 2}).json()
    assert [item["id"] for item in page["data"]] == [other.public_id, events[2].public_id]
    rest = tenant.http.get("/v1/events", params={"limit": 2, "after": page["next"]}).json()
    assert [item["id"] for item in rest["data"]] == [events[1].public_id, events[0].public_id]
    failed = tenant.http.get("/v1/events", params={"type": "delivery.failed"}).json()["data"]
    assert len(failed) == 3
    assert failed[0]["data"]["delivery_id"] == ids.encode("dlv", ids.UUID(events[2].data["delivery_id"]))
    (told,) = failed[0]["dispatches"]
    assert (told["endpoint"], told["state"], told["attempt_count"], told["outcome"]) == ("support", "pending", 0, None)
    assert told["next_attempt_at"]
    assert tenant.http.get(f"/v1/events/{events[2].public_id}").json() == failed[0]
    assert_problem(tenant.http.get("/v1/events", params={"type": "delivery.lost"}), 422, pointer="/type")


def test_cancelling_over_http_is_in_the_log(tenant: Tenant) -> None:
    tenant.http.put(WHERE, json=BODY)
    where = tenant.http.post("/v1/notifications", json=notification()).headers["location"]
    row = Notification.objects.get(project=tenant.project)
    add_delivery(tenant, row, "queued")
    tenant.http.post(f"{where}/cancel")
    found = {item["type"]: item["data"] for item in tenant.http.get("/v1/events").json()["data"]}
    assert set(found) == {"notification.cancelled", "delivery.cancelled"}
    assert found["delivery.cancelled"]["recipient"] == "u1"
    assert found["notification.cancelled"] == {
        "notification_id": row.public_id,
        "status": "cancelled",
        "reason": "cancelled_by_caller",
    }


def test_erasing_a_person_erases_what_was_told_about_them(tenant: Tenant) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    recipient = Recipient.objects.get(project=tenant.project)
    event = StatusEvent.objects.create(
        project=tenant.project, type="delivery.sent", recipient=recipient, data={"delivery_id": str(new_uuid())}
    )
    assert tenant.http.get(f"/v1/events/{event.public_id}").json()["data"]["recipient"] == "u1"
    assert tenant.http.delete("/v1/recipients/u1").status_code == 204
    assert_problem(tenant.http.get(f"/v1/events/{event.public_id}"), 404)

"""Recipients over HTTP: upsert, read, change, erase, list."""

import httpx
import pytest

from delivery.models import Attempt, Delivery
from notifications import ids
from notifications.models import Endpoint, Notification, Recipient, Subscription, Topic
from tests.api.asking import Tenant, assert_problem, row_counts

FULL = {
    "email": "ada@example.com",
    "phone": "+4366412345678",
    "name": "Ada",
    "locale": "de-AT",
    "timezone": "Europe/Vienna",
    "data": {"plan": "pro", "seats": [1, 2]},
}


def test_put_creates_then_replaces(http: httpx.Client) -> None:
    created = http.put("/v1/recipients/u1", json=FULL)
    assert created.status_code == 201
    assert {name: created.json()[name] for name in FULL} == FULL
    assert created.json()["id"] == "u1"
    replaced = http.put("/v1/recipients/u1", json={"email": "other@example.com"})
    assert replaced.status_code == 200
    assert replaced.json()["email"] == "other@example.com"
    assert replaced.json()["name"] is None
    assert replaced.json()["data"] == {}
    assert replaced.json()["created_at"] == created.json()["created_at"]
    assert http.get("/v1/recipients/u1").json() == replaced.json()


def test_patch_is_a_merge_patch(http: httpx.Client) -> None:
    http.put("/v1/recipients/u1", json=FULL)
    patched = http.patch("/v1/recipients/u1", json={"phone": None, "data": {"plan": None, "more": {"x": 1}}})
    assert patched.status_code == 200
    assert patched.json()["phone"] is None
    assert patched.json()["email"] == FULL["email"]
    assert patched.json()["data"] == {"seats": [1, 2], "more": {"x": 1}}


def test_unknown_is_404(http: httpx.Client) -> None:
    for response in (
        http.get("/v1/recipients/no"),
        http.patch("/v1/recipients/no", json={}),
        http.delete("/v1/recipients/no"),
    ):
        assert_problem(response, 404, code="not_found")


@pytest.mark.parametrize("name", ["a b", "ünï", "a%b", "a?b", "a#b", "@", "🔔", "x" * 255])
def test_any_printable_id_works(http: httpx.Client, name: str) -> None:
    from urllib.parse import quote

    assert http.put(f"/v1/recipients/{quote(name, safe='')}", json={}).status_code == 201
    assert http.get(f"/v1/recipients/{quote(name, safe='')}").json()["id"] == name


def test_erase_removes_everything_of_a_person(tenant: Tenant) -> None:
    http = tenant.http
    before = row_counts()
    http.put("/v1/recipients/u1", json=FULL)
    http.post("/v1/recipients/u1/endpoints", json={"channel": "webhook", "url": "https://example.com/"})
    http.post("/v1/topics/t/subscriptions", json={"recipients": ["u1"]})
    recipient = Recipient.objects.get(project=tenant.project)
    sent = Notification.objects.create(project=tenant.project, recipients=["u1"], content={}, channels=["email"])
    delivery = Delivery.objects.create(
        project=tenant.project,
        notification=sent,
        recipient=recipient,
        channel="email",
        state="queued",
        available_at=sent.created_at,
    )
    Attempt.objects.create(id=ids.new_uuid(), delivery=delivery, number=1)
    assert http.delete("/v1/recipients/u1").status_code == 204
    assert_problem(http.get("/v1/recipients/u1"), 404)
    left = row_counts()
    for model in (Recipient, Endpoint, Subscription, Delivery, Attempt):
        assert left[model._meta.label] == before[model._meta.label]
    assert Topic.objects.filter(project=tenant.project).exists()


def test_pages_go_forth_and_back(http: httpx.Client) -> None:
    names = [f"u{n}" for n in range(7)]
    for name in names:
        http.put(f"/v1/recipients/{name}", json={})
    newest_first = names[::-1]
    seen, pages, query = [], [], {"limit": "3"}
    while True:
        page = http.get("/v1/recipients", params=query).json()
        pages.append(page)
        seen += [row["id"] for row in page["data"]]
        if page["next"] is None:
            break
        query = {"limit": "3", "after": page["next"]}
    assert seen == newest_first
    assert [len(page["data"]) for page in pages] == [3, 3, 1]
    assert pages[0]["previous"] is None
    back = http.get("/v1/recipients", params={"limit": "3", "before": pages[2]["previous"]}).json()
    assert [row["id"] for row in back["data"]] == newest_first[3:6]
    first = http.get("/v1/recipients", params={"limit": "3", "before": back["previous"]}).json()
    assert [row["id"] for row in first["data"]] == newest_first[:3]
    assert first["previous"] is None
    assert first["next"] == pages[0]["next"]


def test_head_answers_like_get_without_a_body(http: httpx.Client) -> None:
    http.put("/v1/recipients/u1", json=FULL)
    head, get = http.head("/v1/recipients/u1"), http.get("/v1/recipients/u1")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(get.content))

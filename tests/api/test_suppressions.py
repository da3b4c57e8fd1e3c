"""`/v1/suppressions`: put on the list, found by any spelling, taken off; and what it does to a dry run."""

from typing import Any

import pytest

from notifications.models import Suppression
from tests.api.asking import Tenant, assert_problem, row_counts


def test_the_life_of_a_suppression(tenant: Tenant) -> None:
    made = tenant.http.post("/v1/suppressions", json={"address": "Ada@EXAMPLE.com", "detail": "asked"})
    assert made.status_code == 201
    body = made.json()
    assert body == {
        "id": body["id"],
        "channel": "email",
        "address": "ada@example.com",
        "reason": "manual",
        "detail": "asked",
        "delivery_id": None,
        "created_at": body["created_at"],
        "expires_at": None,
    }
    assert made.headers["location"] == f"/v1/suppressions/{body['id']}"
    assert tenant.http.get(made.headers["location"]).json() == body
    changed = tenant.http.post(
        "/v1/suppressions", json={"address": "ada@example.com", "expires_at": "2031-01-01T00:00:00Z"}
    )
    assert (changed.status_code, changed.json()["id"]) == (200, body["id"])
    assert changed.json()["expires_at"] == "2031-01-01T00:00:00.000Z"
    assert tenant.http.delete(made.headers["location"]).status_code == 204
    assert_problem(tenant.http.get(made.headers["location"]), 404)
    assert_problem(tenant.http.delete(made.headers["location"]), 404)


def test_lists_are_paged_and_filtered(tenant: Tenant) -> None:
    for reason in ("bounce", "complaint", "manual"):
        tenant.http.post("/v1/suppressions", json={"address": "a@example.com", "reason": reason})
    tenant.http.post("/v1/suppressions", json={"address": "b@example.com"})
    first = tenant.http.get("/v1/suppressions", params={"limit": 3}).json()
    rest = tenant.http.get("/v1/suppressions", params={"limit": 3, "after": first["next"]}).json()
    assert [len(page["data"]) for page in (first, rest)] == [3, 1]

    def found(**query: str) -> list[tuple[str, str]]:
        rows = tenant.http.get("/v1/suppressions", params=query).json()["data"]
        return [(row["address"], row["reason"]) for row in rows]

    assert found(reason="complaint") == [("a@example.com", "complaint")]
    assert len(found(address="A@Example.com")) == 3
    assert found(address="A@Example.com", reason="bounce") == [("a@example.com", "bounce")]
    assert found(address="c@example.com") == []
    assert_problem(tenant.http.get("/v1/suppressions", params={"reason": "mood"}), 422, pointer="/reason")
    assert_problem(tenant.http.get("/v1/suppressions", params={"channel": "sms"}), 422, pointer="/channel")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/address"),
        ({"address": "nobody"}, "/address"),
        ({"address": "a@example.com\n"}, "/address"),
        ({"address": None}, "/address"),
        ({"address": "a@example.com", "reason": "mood"}, "/reason"),
        ({"address": "a@example.com", "detail": "x" * 501}, "/detail"),
        ({"address": "a@example.com", "detail": "a\nb"}, "/detail"),
        ({"address": "a@example.com", "expires_at": "soon"}, "/expires_at"),
        ({"address": "a@example.com", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"address": "a@example.com", "channel": "sms"}, "/channel"),
    ],
)
def test_what_cannot_be(tenant: Tenant, body: Any, pointer: str) -> None:
    before = row_counts()
    assert_problem(tenant.http.post("/v1/suppressions", json=body), 422, pointer=pointer)
    assert row_counts() == before


def test_repeated_with_its_key_it_is_one(tenant: Tenant) -> None:
    key = {"Idempotency-Key": "k1"}
    first = tenant.http.post("/v1/suppressions", json={"address": "a@example.com"}, headers=key)
    tenant.http.delete(first.headers["location"])
    again = tenant.http.post("/v1/suppressions", json={"address": "a@example.com"}, headers=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert not Suppression.objects.filter(project=tenant.project).exists()


def test_scopes_are_those_of_recipients(make_tenant: Any) -> None:
    reader = make_tenant(("recipients:read",))
    assert reader.http.get("/v1/suppressions").status_code == 200
    assert_problem(reader.http.post("/v1/suppressions", json={"address": "a@example.com"}), 403)
    assert_problem(make_tenant(("notifications:read",)).http.get("/v1/suppressions"), 403)


def test_an_erased_persons_suppression_is_shown_without_the_address(tenant: Tenant) -> None:
    tenant.http.put("/v1/recipients/ada", json={"email": "ada@example.com"})
    made = tenant.http.post("/v1/suppressions", json={"address": "ada@example.com", "detail": "ada asked"}).json()
    tenant.http.delete("/v1/recipients/ada")
    shown = tenant.http.get(f"/v1/suppressions/{made['id']}").json()
    assert (shown["address"], shown["detail"]) == (None, "")
    (found,) = tenant.http.get("/v1/suppressions", params={"address": "ADA@example.com"}).json()["data"]
    assert found == shown

"""`/v1/api-keys`: made, rotated with an overlap, revoked; the key itself is shown once; only `admin` may."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from notifications import ids, key_cache
from notifications.clock import utc_now
from notifications.models import ApiKey, AuditEntry
from notifications.services.projects import create_api_key
from tests.api.asking import Tenant, assert_problem, row_counts

ME = "/v1/recipients"


def ask(tenant: Tenant, key: str) -> httpx.Response:
    """A read with another key of the project; nothing is remembered from before."""
    key_cache._known.clear()
    return tenant.http.get(ME, headers={"Authorization": f"Bearer {key}"})


def make(tenant: Tenant, **changes: object) -> dict[str, str]:
    answer = tenant.http.post("/v1/api-keys", json={"name": "shop", "scopes": ["recipients:read"], **changes})
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    assert answer.headers["location"] == f"/v1/api-keys/{made['id']}"
    return made


def test_a_key_is_shown_once_opens_what_it_may_and_nothing_else(tenant: Tenant) -> None:
    made = make(tenant)
    assert made["key"].startswith(made["prefix"])
    assert ask(tenant, made["key"]).is_success
    denied = tenant.http.post("/v1/api-keys", json={}, headers={"Authorization": f"Bearer {made['key']}"})
    assert_problem(denied, 403, code="forbidden")
    again = tenant.http.get(f"/v1/api-keys/{made['id']}").json()
    assert again == {name: value for name, value in made.items() if name != "key"}
    listed = tenant.http.get("/v1/api-keys").json()["data"]
    assert listed[0] == again and len(listed) == 2
    assert made["key"] not in tenant.http.get("/v1/api-keys").text
    assert not ApiKey.objects.filter(digest__contains=made["key"]).exists()


def test_a_repeated_request_makes_one_key_and_says_the_same(tenant: Tenant) -> None:
    body, headers = {"name": "shop", "scopes": ["admin"]}, {"Idempotency-Key": "once"}
    first, second = (tenant.http.post("/v1/api-keys", json=body, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert ApiKey.objects.filter(project=tenant.project).count() == 2


def test_rotation_leaves_time_to_change_over(tenant: Tenant) -> None:
    old = make(tenant)
    answer = tenant.http.post(f"/v1/api-keys/{old['id']}/rotate", json={"overlap_seconds": 3600})
    assert answer.status_code == 201
    new = answer.json()
    assert (new["name"], new["scopes"], new["expires_at"]) == (old["name"], old["scopes"], None)
    assert new["id"] != old["id"]
    assert ask(tenant, old["key"]).is_success and ask(tenant, new["key"]).is_success
    row = ApiKey.objects.get(id=ids.decode("key", old["id"]))
    assert row.expires_at is not None and timedelta(0) < row.expires_at - utc_now() <= timedelta(hours=1)
    row.expires_at = utc_now()
    row.save()
    assert_problem(ask(tenant, old["key"]), 401)
    assert ask(tenant, new["key"]).is_success
    assert_problem(tenant.http.post(f"/v1/api-keys/{old['id']}/rotate"), 409, code="conflict")


def test_rotation_never_makes_a_key_live_longer(tenant: Tenant) -> None:
    soon = (utc_now() + timedelta(minutes=5)).isoformat()
    old = make(tenant, expires_at=soon)
    assert tenant.http.post(f"/v1/api-keys/{old['id']}/rotate").status_code == 201
    assert tenant.http.get(f"/v1/api-keys/{old['id']}").json()["expires_at"] == old["expires_at"]


def test_a_revoked_key_opens_nothing_and_stays_in_the_list(tenant: Tenant) -> None:
    made = make(tenant)
    for _ in range(2):
        assert tenant.http.delete(f"/v1/api-keys/{made['id']}").status_code == 204
    assert_problem(ask(tenant, made["key"]), 401)
    assert tenant.http.get(f"/v1/api-keys/{made['id']}").json()["revoked_at"] is not None


def test_the_audit_log_says_which_key_did_it(tenant: Tenant) -> None:
    made = make(tenant)
    tenant.http.delete(f"/v1/api-keys/{made['id']}")
    own = ids.encode("key", ApiKey.objects.get(project=tenant.project, name="test").id)
    told = AuditEntry.objects.filter(project_id=tenant.project.id, subject="notifications_apikey").order_by("id")
    assert [(entry.actor, entry.action) for entry in told] == [("", "insert"), (own, "insert"), (own, "update")]
    tenant.http.get("/v1/api-keys")
    assert create_api_key(project=tenant.project, name="later", scopes=["admin"])
    assert AuditEntry.objects.latest("id").actor == ""


def test_nobody_saws_off_the_branch_he_sits_on(tenant: Tenant) -> None:
    own = ids.encode("key", ApiKey.objects.get(project=tenant.project).id)
    assert_problem(tenant.http.delete(f"/v1/api-keys/{own}"), 409, code="conflict")
    assert tenant.http.get("/v1/api-keys").is_success


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scopes": ["admin"]}, "/name"),
        ({"name": "x", "scopes": []}, "/scopes"),
        ({"name": "x", "scopes": ["everything"]}, "/scopes/0"),
        ({"name": "x\n", "scopes": ["admin"]}, "/name"),
        ({"name": "x", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "x", "scopes": ["admin"], "key": "k" * 40}, "/key"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(tenant: Tenant, body: dict[str, object], pointer: str) -> None:
    before = row_counts()
    assert_problem(tenant.http.post("/v1/api-keys", json=body), 422, pointer=pointer)
    assert row_counts() == before


def test_an_overlap_has_its_limits(tenant: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    made = make(tenant)
    for wrong in (-1, 10_000_000, 1.5, "1"):
        answer = tenant.http.post(f"/v1/api-keys/{made['id']}/rotate", json={"overlap_seconds": wrong})
        assert_problem(answer, 422, pointer="/overlap_seconds")
    assert_problem(make_tenant().http.post(f"/v1/api-keys/{made['id']}/rotate"), 404)

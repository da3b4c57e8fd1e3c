"""Saying that somebody takes care: over the API, and by the link in a mail."""

from collections.abc import Callable

import httpx
import pytest

from notifications import ids
from notifications.acknowledge_links import acknowledge_url
from notifications.models import Notification, Recipient
from tests.api.asking import Tenant, assert_problem, notification


@pytest.fixture
def row(tenant: Tenant) -> Notification:
    tenant.http.post("/v1/notifications", json=notification()).raise_for_status()
    return Notification.objects.get(project=tenant.project)


def test_the_first_who_takes_care_stays(tenant: Tenant, row: Notification) -> None:
    where = f"/v1/notifications/{row.public_id}/acknowledge"
    first = tenant.http.post(where, json={"recipient": "lead"})
    assert first.status_code == 200
    assert first.json()["acknowledged_by"] == "lead" and first.json()["acknowledged_at"]
    assert tenant.http.post(where, json={"recipient": "boss"}).json() == first.json()
    assert tenant.http.post(where).json() == first.json()


def test_nobody_in_particular_may_take_care(tenant: Tenant, row: Notification) -> None:
    assert tenant.http.post(f"/v1/notifications/{row.public_id}/acknowledge").json()["acknowledged_by"] is None


def test_what_is_not_there_cannot_be_acknowledged(
    tenant: Tenant, make_tenant: Callable[..., Tenant], row: Notification
) -> None:
    unknown = ids.encode("ntf", ids.new_uuid())
    assert_problem(tenant.http.post(f"/v1/notifications/{unknown}/acknowledge"), 404, code="not_found")
    assert_problem(make_tenant().http.post(f"/v1/notifications/{row.public_id}/acknowledge"), 404, code="not_found")
    row.refresh_from_db()
    assert row.acknowledged_at is None


def path_of(row: Notification, recipient: Recipient) -> str:
    return "/k/" + acknowledge_url(row.id, recipient.id).rpartition("/k/")[2]


def test_the_link_asks_first_and_then_tells_who(
    connect: Callable[..., httpx.Client], tenant: Tenant, row: Notification
) -> None:
    tenant.http.put("/v1/recipients/lead", json={})
    path = path_of(row, Recipient.objects.get(project=tenant.project, external_id="lead"))
    page = connect().get(path)
    assert page.status_code == 200 and "I take care of it" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    row.refresh_from_db()
    assert row.acknowledged_at is None
    german = connect().post(path, headers={"Accept-Language": "de-AT,en;q=0.5"})
    assert german.status_code == 200 and "Sie kümmern sich darum" in german.text
    row.refresh_from_db()
    assert row.acknowledged_by == "lead"


@pytest.mark.parametrize("token", ["x", "a" * 2000, "%00", "../u/x"])
def test_a_forged_link_changes_nothing_and_tells_nothing(
    connect: Callable[..., httpx.Client], row: Notification, token: str
) -> None:
    answer = connect().post(f"/k/{token}")
    assert answer.status_code in (200, 404)
    row.refresh_from_db()
    assert row.acknowledged_at is None


def test_other_methods_are_refused(connect: Callable[..., httpx.Client], row: Notification) -> None:
    assert connect().put("/k/x").status_code == 405

"""Endpoints over HTTP: the secret is shown once, lies sealed, and only allowed addresses are stored."""

import base64

import httpx
import pytest

from notifications.models import Endpoint, IdempotencyKey
from notifications.sealing import unseal
from tests.api.asking import Tenant, assert_problem, row_counts

HOOK = {"channel": "webhook", "url": "https://example.com/hook"}


@pytest.fixture
def somebody(http: httpx.Client) -> httpx.Client:
    http.put("/v1/recipients/u1", json={})
    return http


def test_secret_is_shown_once_and_kept_sealed(somebody: httpx.Client, tenant: Tenant) -> None:
    made = somebody.post("/v1/recipients/u1/endpoints", json=HOOK)
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret.startswith("whsec_") and len(base64.b64decode(secret[6:], validate=True)) == 32
    row = Endpoint.objects.get(project=tenant.project)
    assert secret not in row.sealed_secret
    assert unseal(row.sealed_secret) == secret
    read = somebody.get(made.headers["location"])
    assert read.status_code == 200
    assert "secret" not in read.json()
    assert somebody.get("/v1/recipients/u1/endpoints").json()["data"] == [read.json()]


def test_stored_answer_for_a_repetition_holds_no_secret_in_clear(somebody: httpx.Client, tenant: Tenant) -> None:
    first = somebody.post("/v1/recipients/u1/endpoints", json=HOOK, headers={"Idempotency-Key": "k"})
    again = somebody.post("/v1/recipients/u1/endpoints", json=HOOK, headers={"Idempotency-Key": "k"})
    assert again.json() == first.json()
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    stored = IdempotencyKey.objects.get(project=tenant.project)
    assert "whsec_" not in stored.response
    assert Endpoint.objects.filter(project=tenant.project).count() == 1


def test_change_disable_and_remove(somebody: httpx.Client) -> None:
    where = somebody.post("/v1/recipients/u1/endpoints", json=HOOK).headers["location"]
    moved = somebody.patch(where, json={"url": "https://example.org/new", "state": "disabled"}).json()
    assert (moved["url"], moved["state"], moved["disabled_reason"]) == (
        "https://example.org/new", "disabled", "disabled_by_caller",
    )  # fmt: skip
    assert somebody.patch(where, json={"state": "enabled"}).json()["disabled_reason"] is None
    assert somebody.delete(where).status_code == 204
    assert_problem(somebody.get(where), 404)


def test_stored_headers_do_not_go_along_to_another_origin(somebody: httpx.Client) -> None:
    made = {**HOOK, "headers": {"Authorization": "Bearer hidden"}}
    where = somebody.post("/v1/recipients/u1/endpoints", json=made).headers["location"]
    same = somebody.patch(where, json={"url": "https://example.com:443/other"}).json()
    assert set(same["headers"]) == {"authorization"}
    assert somebody.patch(where, json={"url": "https://example.org/hook"}).json()["headers"] == {}
    both = somebody.patch(where, json={"url": "https://example.net/", "headers": {"X-Key": "new"}}).json()
    assert set(both["headers"]) == {"x-key"}


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "ftp://example.com/", "https://", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://[fe80::1]/",
        "https://user:secret@example.com/", "http://0x7f000001.0/", "https://example.com/\u0000", "http://192.168.1.1:8080/",
        "https://example.com/" + "a" * 2100, "javascript:alert(1)", "http://100.64.0.1/", "http://[::ffff:10.0.0.1]/",
    ],
)  # fmt: skip
def test_hostile_urls_are_refused(somebody: httpx.Client, url: str) -> None:
    before = row_counts()
    response = somebody.post("/v1/recipients/u1/endpoints", json={"channel": "webhook", "url": url})
    if "\u0000" not in url:
        assert_problem(response, 422, pointer="/url")
    assert response.status_code == 422
    assert row_counts() == before


def test_unknown_channel_recipient_and_endpoint(somebody: httpx.Client) -> None:
    wrong = somebody.post("/v1/recipients/u1/endpoints", json={**HOOK, "channel": "pigeon"})
    assert_problem(wrong, 422, pointer="/channel")
    assert_problem(somebody.post("/v1/recipients/nobody/endpoints", json=HOOK), 404)
    assert_problem(somebody.get("/v1/recipients/u1/endpoints/end_nonsense"), 404)


def test_an_endpoint_belongs_to_its_recipient(somebody: httpx.Client) -> None:
    where = somebody.post("/v1/recipients/u1/endpoints", json=HOOK).headers["location"]
    somebody.put("/v1/recipients/u2", json={})
    other = where.replace("/u1/", "/u2/")
    for response in (somebody.get(other), somebody.patch(other, json={}), somebody.delete(other)):
        assert_problem(response, 404)
    assert somebody.get(where).status_code == 200


def test_at_most_twenty(somebody: httpx.Client) -> None:
    for _ in range(20):
        assert somebody.post("/v1/recipients/u1/endpoints", json=HOOK).status_code == 201
    assert_problem(somebody.post("/v1/recipients/u1/endpoints", json=HOOK), 409, code="conflict")

"""What HTTP itself asks for: credentials, scopes, methods, media types, sizes, rates. Each refusal changes nothing."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from api import throttle
from api.handler import MAX_BODY_BYTES
from notifications.models import ApiKey
from tests.api.asking import Tenant, assert_problem, notification, row_counts


def _but_keys(counts: dict[str, int]) -> dict[str, int]:
    """Tests make keys and projects themselves, and the audit log notes it."""
    own = ("ApiKey", "Project", "AuditEntry")
    return {name: count for name, count in counts.items() if not any(word in name for word in own)}


@pytest.fixture(autouse=True)
def _nothing_changes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Around every test here: whatever was refused left no trace."""
    request.getfixturevalue("tenant")
    before = row_counts()
    yield
    assert _but_keys(row_counts()) == _but_keys(before)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Basic dTpw",
        "Bearer short",
        "Bearer " + "x" * 66,
        "Bearer " + "x" * 5000,
        "Bearer \xff" * 40,
    ],
)
def test_without_a_valid_key(connect: Callable[..., httpx.Client], authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    answer = connect().post("/v1/notifications", json=notification(), headers=headers)
    assert_problem(answer, 401, code="unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_key_with_one_letter_changed(tenant: Tenant, connect: Callable[..., httpx.Client]) -> None:
    for at in (5, 30, len(tenant.key) - 1):
        wrong = tenant.key[:at] + ("a" if tenant.key[at] != "a" else "b") + tenant.key[at + 1 :]
        assert_problem(connect(wrong).get("/v1/notifications"), 401)
    assert connect(tenant.key).get("/v1/notifications").status_code == 200


def test_expired_and_revoked_keys(make_tenant: Callable[..., Tenant]) -> None:
    from django.db.models.functions import Now

    for field in ("expires_at", "revoked_at"):
        other = make_tenant()
        ApiKey.objects.filter(project=other.project).update(**{field: Now()})
        assert_problem(other.http.get("/v1/notifications"), 401)


@pytest.mark.parametrize(
    ("scope", "allowed", "refused"),
    [
        ("notifications:read", "/v1/deliveries", "/v1/recipients"),
        ("recipients:read", "/v1/topics", "/v1/notifications"),
    ],
)
def test_scopes(make_tenant: Callable[..., Tenant], scope: str, allowed: str, refused: str) -> None:
    reader = make_tenant(scopes=(scope,)).http
    assert reader.get(allowed).status_code == 200
    assert reader.head(allowed).status_code == 200
    assert_problem(reader.get(refused), 403, code="forbidden")
    assert_problem(reader.post("/v1/notifications", json=notification()), 403)
    assert_problem(reader.put("/v1/recipients/u1", json={}), 403)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/notifications", "GET, POST, HEAD"),
        ("GET", "/v1/notifications/bulk", "POST"),
        ("POST", "/v1/recipients/u1", "GET, PUT, PATCH, DELETE, HEAD"),
        ("OPTIONS", "/v1/topics", "GET, HEAD"),
        ("TRACE", "/v1/topics", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
def test_wrong_methods_name_the_right_ones(tenant: Tenant, method: str, path: str, allow: str) -> None:
    answer = tenant.http.request(method, path)
    assert_problem(answer, 405, code="method_not_allowed")
    assert sorted(answer.headers["allow"].split(", ")) == sorted(allow.split(", "))


@pytest.mark.parametrize(
    "path", ["/v1/", "/v1/nothing", "/v1/notifications/", "/v1/recipients/a%2Fb", "/v1/%00", "/v1/docs/x.js"]
)
def test_unknown_addresses(tenant: Tenant, path: str) -> None:
    assert_problem(tenant.http.get(path, headers={"Accept": "*/*"}), 404, code="not_found")


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/xml", "application/json;q=0"])
def test_answers_nobody_can_read(tenant: Tenant, accept: str) -> None:
    assert_problem(tenant.http.post("/v1/notifications", json=notification(), headers={"Accept": accept}), 406)


@pytest.mark.parametrize(
    "accept", ["*/*", "application/*", "text/html, application/json;q=0.5", "application/json; charset=utf-8"]
)
def test_answers_everybody_can_read(tenant: Tenant, accept: str) -> None:
    assert tenant.http.get("/v1/notifications", headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data"],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/notifications"), ("PUT", "/v1/recipients/u1"), ("POST", "/v1/topics/t/subscriptions")],
)
def test_bodies_that_are_not_json(tenant: Tenant, method: str, path: str, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert_problem(tenant.http.request(method, path, content=b"{}", headers=headers), 415)


def chunks(size: int) -> Iterator[bytes]:
    while size > 0:
        yield b" " * min(size, 8192)
        size -= 8192


@pytest.mark.parametrize("content", [b" " * (MAX_BODY_BYTES + 1), "chunked"])
def test_bodies_that_are_too_large(tenant: Tenant, content: Any) -> None:
    body = chunks(MAX_BODY_BYTES + 8192) if content == "chunked" else content
    answer = tenant.http.post("/v1/notifications", content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 413, code="payload_too_large")
    assert tenant.http.get("/v1/notifications").status_code == 200


def test_too_many_requests(tenant: Tenant, settings: Any) -> None:
    settings.CARILLON_RATE_LIMIT_PER_MINUTE = 30
    throttle._due.clear()
    answers = [tenant.http.get("/v1/notifications") for _ in range(10)]
    settings.CARILLON_RATE_LIMIT_PER_MINUTE = 600_000
    throttle._due.clear()
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) == 5
    for answer in refused:
        assert_problem(answer, 429, code="rate_limited")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["ratelimit-policy"] == '"key";q=30;w=60'
        assert answer.headers["ratelimit"].startswith('"key";r=0;t=')


def test_every_answer_carries_the_headers(tenant: Tenant) -> None:
    for answer in (tenant.http.get("/v1/notifications"), tenant.http.get("/v1/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.headers["x-request-id"]) == 32
        assert "strict-transport-security" not in answer.headers


def test_behind_https_every_answer_says_so_for_this_host_alone(tenant: Tenant, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    assert tenant.http.get("/v1/notifications").headers["strict-transport-security"] == "max-age=31536000"

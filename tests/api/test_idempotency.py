"""`Idempotency-Key`: a repeated request is one request, on every POST."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from notifications.models import IdempotencyKey, Notification, Project, Subscription
from tests.api.asking import Tenant, assert_problem, notification, row_counts

POSTS: list[tuple[str, Any]] = [
    ("/v1/notifications", notification()),
    ("/v1/notifications/bulk", {"notifications": [notification()]}),
    ("/v1/notifications/cancel", {"cancellation_key": "k"}),
    ("/v1/recipients/u1/tokens", {"lifetime_seconds": 60}),
    ("/v1/recipients/u1/endpoints", {"channel": "webhook", "url": "https://example.com/"}),
    ("/v1/topics/t/subscriptions", {"recipients": ["u1"]}),
    ("/v1/deliveries/replay", {"state": "failed"}),
]


@pytest.mark.parametrize(("path", "body"), POSTS)
def test_the_first_answer_comes_again(tenant: Tenant, path: str, body: Any) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    key = {"Idempotency-Key": "once"}
    first = tenant.http.post(path, json=body, headers=key)
    assert first.is_success
    assert "idempotent-replayed" not in first.headers
    after = row_counts()
    again = tenant.http.post(path, json=body, headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers.get("location") == first.headers.get("location")
    assert row_counts() == after


@pytest.mark.parametrize(("path", "body"), POSTS)
def test_another_request_with_the_key_is_refused(tenant: Tenant, path: str, body: Any) -> None:
    tenant.http.put("/v1/recipients/u1", json={})
    key = {"Idempotency-Key": "once"}
    assert tenant.http.post("/v1/topics/other/subscriptions", json={"recipients": ["x"]}, headers=key).is_success
    after = row_counts()
    assert_problem(tenant.http.post(path, json=body, headers=key), 422, code="idempotency_key_reused")
    assert row_counts() == after


def test_keys_belong_to_their_project(make_tenant: Callable[..., Tenant]) -> None:
    key = {"Idempotency-Key": "same"}
    for _ in range(2):
        answer = make_tenant().http.post("/v1/notifications", json=notification(), headers=key)
        assert "idempotent-replayed" not in answer.headers


def test_an_error_stores_nothing(tenant: Tenant) -> None:
    key = {"Idempotency-Key": "k"}
    path, body = "/v1/recipients/later/endpoints", {"channel": "webhook", "url": "https://example.com/"}
    assert_problem(tenant.http.post(path, json=body, headers=key), 404)
    assert not IdempotencyKey.objects.filter(project=tenant.project).exists()
    tenant.http.put("/v1/recipients/later", json={})
    assert tenant.http.post(path, json=body, headers=key).status_code == 201


def test_a_key_is_forgotten_after_a_day(tenant: Tenant) -> None:
    from datetime import timedelta

    key = {"Idempotency-Key": "k"}
    for path, body in POSTS[:3]:
        tenant.http.post(path, json=body, headers=key)
        IdempotencyKey.objects.filter(project=tenant.project).update(created_at=Now() - timedelta(hours=25))
        assert "idempotent-replayed" not in tenant.http.post(path, json={**body}, headers=key).headers
        IdempotencyKey.objects.filter(project=tenant.project).delete()
    assert Notification.objects.filter(project=tenant.project).count() == 4


def test_while_the_first_is_served_the_second_is_told_to_come_back(tenant: Tenant) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:  # another server's request, not committed yet
            cursor.execute(
                "INSERT INTO notifications_idempotencykey (project_id, key, fingerprint, status, response)"
                " VALUES (%s, 'k', '', 0, '')",
                [tenant.project.id],
            )
        second = tenant.http.post(
            "/v1/topics/t/subscriptions", json={"recipients": ["x"]}, headers={"Idempotency-Key": "k"}
        )
        transaction.set_rollback(True)
    assert_problem(second, 409, code="in_flight")
    assert second.headers["retry-after"] == "1"
    assert not Subscription.objects.filter(topic__project=tenant.project).exists()


def test_many_at_the_same_moment_are_one(tenant: Tenant, connect: Callable[..., httpx.Client]) -> None:
    answers: list[httpx.Response] = []
    start = threading.Barrier(12)

    def ask(client: httpx.Client, path: str, body: Any) -> None:
        start.wait()
        answers.append(client.post(path, json=body, headers={"Idempotency-Key": path}))

    jobs = [(path, body) for path, body in (POSTS[0], POSTS[5]) for _ in range(6)]
    threads = [threading.Thread(target=ask, args=(connect(tenant.key), *job)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    served = [answer for answer in answers if answer.status_code != 409]
    assert len({answer.content for answer in served}) == 2
    assert sum("idempotent-replayed" not in answer.headers for answer in served) == 2
    assert Notification.objects.filter(project=tenant.project).count() == 1
    assert Project.objects.filter(id=tenant.project.id).exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "ctl\x01", "\x85"])
def test_unusable_keys_are_refused(tenant: Tenant, key: str) -> None:
    before = row_counts()
    for path, body in (POSTS[0], POSTS[5]):
        answer = tenant.http.post(path, json=body, headers={"Idempotency-Key": key.encode("latin-1")})
        assert answer.status_code in (400, 422)
    assert row_counts() == before

"""`Idempotency-Key`: a repeated request is one request, on every POST."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models.functions import Now
from pytest_django import DjangoDbBlocker

from api import idempotency
from api.openapi_document import document
from delivery.models import Heartbeat
from notifications.models import IdempotencyKey, Notification, Project
from tests.api.asking import Tenant, add_event, add_schedule, assert_problem, notification, row_counts
from tests.api.test_notifications import add_delivery

POSTS: list[tuple[str, Any]] = [
    ("/v1/notifications", notification()),
    ("/v1/notifications/bulk", {"notifications": [notification()]}),
    ("/v1/notifications/cancel", {"cancellation_key": "k"}),
    ("/v1/topics/t/subscriptions", {"recipients": ["u1"]}),
]


def described_posts() -> Iterator[tuple[str, Any]]:
    """Every POST of the API with the example of its body; a recipient's own inbox and a provider's callback take no key."""
    for path, item in json.loads(document()[0])["paths"].items():
        if "post" in item and not path.startswith(("/v1/inbox/", "/v1/callbacks/{")):
            body = item["post"].get("requestBody", {}).get("content", {}).get("application/json", {})
            yield path, next((example["value"] for example in body.get("examples", {}).values()), None)


EVERY_POST = pytest.mark.parametrize(
    ("path", "body"), list(described_posts()), ids=lambda value: value if isinstance(value, str) else ""
)


@dataclass
class Scene:
    """A project in which every POST finds what it names."""

    tenant: Tenant
    names: dict[str, str]

    def post(self, path: str, body: Any, key: str, *, space: str = "") -> httpx.Response:
        content = (json.dumps(body) if body is not None else "") + space
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return self.tenant.http.post(path.format(**self.names), content=content, headers=headers)

    def standing(self) -> Any:
        """What a POST could have changed."""
        rows = [
            list(model._default_manager.order_by("pk").values_list())
            for app in ("notifications", "delivery")
            for model in apps.get_app_config(app).get_models()
            if model is not Heartbeat  # written by the server's own clock
        ]
        return row_counts(), rows


@pytest.fixture
def scene(tenant: Tenant) -> Scene:
    tenant.http.put("/v1/recipients/u1", json={"email": "u1@example.com"})
    endpoint = tenant.http.post(
        "/v1/recipients/u1/endpoints", json={"channel": "webhook", "url": "https://example.com/"}
    )
    sent = tenant.http.post("/v1/notifications", json=notification(cancellation_key="order-17"))
    row = Notification.objects.get(project=tenant.project)
    names = {
        "recipient_id": "u1",
        "topic_key": "team-1",
        "endpoint_id": endpoint.json()["id"],
        "notification_id": sent.json()["id"],
        "delivery_id": add_delivery(tenant, row, "failed", channel="webhook").public_id,
        "event_id": add_event(tenant, key="support").public_id,
        "event_endpoint_key": "support",
        "api_key_id": tenant.http.post("/v1/api-keys", json={"name": "shop", "scopes": ["admin"]}).json()["id"],
        "schedule_key": add_schedule(tenant),
        "workflow_key": "comment",
        "template_key": "order-shipped",
        "version_number": "1",
    }
    step = {"key": "bell", "type": "in_app", "template": {"title": "t", "body": "b"}}
    tenant.http.put("/v1/workflows/comment", json={"name": "c", "steps": [step]}).raise_for_status()
    template = {"variants": {"default": {"default": {"title": "t", "body": "b"}}}}
    tenant.http.put("/v1/templates/order-shipped", json=template).raise_for_status()
    return Scene(tenant, names)


def test_the_document_says_which_posts_there_are() -> None:
    assert len(list(described_posts())) >= 9


@EVERY_POST
def test_the_first_answer_comes_again(scene: Scene, path: str, body: Any) -> None:
    first = scene.post(path, body, "once")
    assert first.is_success, first.text
    assert "idempotent-replayed" not in first.headers
    after = scene.standing()
    again = scene.post(path, body, "once")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers.get("location") == first.headers.get("location")
    assert scene.standing() == after


@EVERY_POST
def test_another_request_with_the_key_is_refused(scene: Scene, path: str, body: Any) -> None:
    assert scene.post("/v1/topics/other/subscriptions", {"recipients": ["x"]}, "elsewhere").is_success
    after = scene.standing()
    assert_problem(scene.post(path, body, "elsewhere"), 422, code="idempotency_key_reused")
    assert scene.standing() == after
    assert scene.post(path, body, "here").is_success
    after = scene.standing()
    assert_problem(scene.post(path, body, "here", space=" "), 422, code="idempotency_key_reused")
    assert scene.standing() == after


@EVERY_POST
def test_while_the_first_is_served_the_second_is_told_to_come_back(
    scene: Scene, path: str, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path != "/v1/notifications/cancel":  # one waits for as long as in production
        monkeypatch.setattr(idempotency, "_WAIT", "SET LOCAL lock_timeout = '20ms'")
    before = scene.standing()
    with transaction.atomic():
        with connection.cursor() as cursor:  # another server's request, not committed yet
            cursor.execute(
                "INSERT INTO notifications_idempotencykey (project_id, key, fingerprint, status, response)"
                " VALUES (%s, 'k', '', 0, '')",
                [scene.tenant.project.id],
            )
        second = scene.post(path, body, "k")
        transaction.set_rollback(True)
    assert_problem(second, 409, code="in_flight")
    assert second.headers["retry-after"] == "1"
    assert scene.standing() == before
    assert scene.post(path, body, "k").is_success


@pytest.fixture(scope="module")
def failing_commits(emptied: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """PostgreSQL refuses to commit any transaction that has written the key `boom`."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''boom''; END';
            CREATE CONSTRAINT TRIGGER boom AFTER INSERT ON notifications_idempotencykey DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.key = 'boom') EXECUTE FUNCTION boom()"""
        )
        yield
        cursor.execute("DROP TRIGGER boom ON notifications_idempotencykey; DROP FUNCTION boom()")


@EVERY_POST
@pytest.mark.usefixtures("failing_commits")
def test_the_key_is_committed_with_the_work_or_neither_is(scene: Scene, path: str, body: Any) -> None:
    before = scene.standing()
    answer = scene.post(path, body, "boom")
    assert answer.status_code >= 500, answer.text
    assert scene.standing() == before


def test_a_key_in_flight_holds_up_nobody_else(tenant: Tenant, connect: Callable[..., httpx.Client]) -> None:
    """Requests share a transaction; one that has to wait for its key is taken out of it."""
    answers: dict[str, int] = {}

    def ask(client: httpx.Client, key: str) -> None:
        answers[key] = client.post(
            "/v1/notifications", json=notification(), headers={"Idempotency-Key": key}
        ).status_code

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO notifications_idempotencykey (project_id, key, fingerprint, status, response)"
                " VALUES (%s, 'held', '', 0, '')",
                [tenant.project.id],
            )
        keys = ["held", *(f"free-{number}" for number in range(8))]
        threads = [threading.Thread(target=ask, args=(connect(tenant.key), key)) for key in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        transaction.set_rollback(True)
    assert answers.pop("held") == 409
    assert set(answers.values()) == {202}


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


def test_many_at_the_same_moment_are_one(tenant: Tenant, connect: Callable[..., httpx.Client]) -> None:
    answers: list[httpx.Response] = []
    start = threading.Barrier(12)

    def ask(client: httpx.Client, path: str, body: Any) -> None:
        start.wait()
        answers.append(client.post(path, json=body, headers={"Idempotency-Key": path}))

    jobs = [(path, body) for path, body in (POSTS[0], POSTS[3]) for _ in range(6)]
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
    for path, body in (POSTS[0], POSTS[3]):
        answer = tenant.http.post(path, json=body, headers={"Idempotency-Key": key.encode("latin-1")})
        assert answer.status_code in (400, 422)
    assert row_counts() == before

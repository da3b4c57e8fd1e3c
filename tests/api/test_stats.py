"""`/v1/stats`: sums of the project's own rows within a time."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from delivery import statistics
from delivery.models import Delivery
from notifications.clock import utc_now
from notifications.models import Notification
from tests.api.asking import Tenant, assert_problem, notification
from tests.api.test_notifications import add_delivery


def send(tenant: Tenant, *states: str) -> None:
    """One notification with a delivery in each of these states."""
    answer = tenant.http.post("/v1/notifications", json=notification(recipients=["u1"]))
    row = Notification.objects.get(project=tenant.project, id__gte=Notification.objects.latest("id").id)
    assert answer.status_code == 202
    for state in states:
        add_delivery(tenant, row, state)


def test_everything_is_counted_once_and_nothing_of_others(tenant: Tenant, make_tenant: Callable[..., Tenant]) -> None:
    send(tenant, "failed")
    send(tenant, "sent")
    send(make_tenant(), "failed")
    Delivery.objects.filter(project=tenant.project, state="sent").update(
        attempt_count=3, created_at=F("finished_at") - timedelta(seconds=2)
    )
    body = tenant.http.get("/v1/stats").json()
    assert body["notifications"] == {"accepted": 2, "routed": 0, "cancelled": 0, "expired": 0, "failed": 0}
    assert sum(channel["count"] for channel in body["deliveries"]) == 2
    states = {state: n for channel in body["deliveries"] for state, n in channel["states"].items() if n}
    assert states == {"failed": 1, "sent": 1}
    assert sum(sum(channel["reasons"].values()) for channel in body["deliveries"]) == 1
    assert sum(channel["attempts"] for channel in body["deliveries"]) == 3
    took = [channel["p95_seconds"] for channel in body["deliveries"] if channel["states"]["sent"]]
    assert took == [2.0]


def test_only_what_was_made_in_the_time(tenant: Tenant) -> None:
    send(tenant, "failed")
    now = utc_now()
    Notification.objects.filter(project=tenant.project).update(created_at=now - timedelta(minutes=30))
    Delivery.objects.filter(project=tenant.project).update(created_at=now - timedelta(minutes=30))

    def counted(since: timedelta, until: timedelta) -> tuple[int, int]:
        query = {"since": (now - since).isoformat(), "until": (now - until).isoformat()}
        body = tenant.http.get("/v1/stats", params=query).json()
        return body["notifications"]["accepted"], len(body["deliveries"])

    assert counted(timedelta(hours=1), timedelta(minutes=20)) == (1, 1)
    assert counted(timedelta(minutes=20), timedelta(0)) == (0, 0)
    assert counted(timedelta(hours=1), timedelta(minutes=40)) == (0, 0)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"since": "yesterday"}, "/since"),
        ({"until": "0001-01-01T00:00:00Z"}, "/until"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "/since"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}, "/since"),
        ({"from": "2026-01-01T00:00:00Z"}, "/from"),
    ],
)
def test_times_that_mean_nothing(tenant: Tenant, query: dict[str, str], pointer: str) -> None:
    assert_problem(tenant.http.get("/v1/stats", params=query), 422, pointer=pointer)


def test_too_much_to_count_is_said(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_TOOK", "SELECT 'x', pg_sleep(5)")
    monkeypatch.setattr(statistics, "_LIMIT", "50ms")
    assert_problem(tenant.http.get("/v1/stats"), 422, pointer="/since")

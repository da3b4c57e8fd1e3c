"""The addresses for machines that watch."""

from collections.abc import Callable

import httpx
import pytest
from django.conf import settings

from notifications.models import Notification
from tests.api.asking import Tenant
from tests.api.test_notifications import add_delivery


@pytest.fixture
def anybody(connect: Callable[..., httpx.Client]) -> httpx.Client:
    return connect()


def test_alive_and_ready_without_a_key(anybody: httpx.Client) -> None:
    assert anybody.get("/healthz").json() == {"status": "alive"}
    ready = anybody.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "degraded": [],
        "version": settings.CARILLON_VERSION,
        "instance": settings.CARILLON_INSTANCE,
    }


def test_metrics_show_the_queue(anybody: httpx.Client, tenant: Tenant) -> None:
    from api import exposition

    row = Notification.objects.create(project=tenant.project, recipients=[], content={}, channels=[])
    add_delivery(tenant, row, "queued", channel="webhook")
    add_delivery(tenant, row, "failed", channel="webhook", to="u2")
    exposition._looked_at = float("-inf")
    answer = anybody.get("/metrics", headers={"Accept": "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert float(lines["carillon_database_up"]) == 1
    assert float(lines["carillon_notifications_open"]) >= 1
    assert float(lines['carillon_deliveries_open{channel="webhook",state="queued"}']) >= 1
    assert float(lines['carillon_oldest_due_age_seconds{stage="webhook"}']) >= 0
    assert not any('state="failed"' in name for name in lines if name.startswith("carillon_deliveries_open"))

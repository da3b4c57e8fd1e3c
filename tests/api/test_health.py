"""The addresses for machines that watch."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from django.conf import settings
from django.utils import timezone

from delivery.models import Delivery, Heartbeat, LawCheck, Provider
from notifications.models import Notification
from tests.api.asking import Tenant
from tests.api.test_notifications import add_delivery


@pytest.fixture
def anybody(connect: Callable[..., httpx.Client]) -> httpx.Client:
    return connect()


@pytest.fixture
def nobody_at_work(anybody: httpx.Client) -> None:
    Heartbeat.objects.exclude(role="web").delete()


@pytest.mark.usefixtures("nobody_at_work")
def test_alive_and_ready_without_a_key(anybody: httpx.Client) -> None:
    assert anybody.get("/healthz").json() == {"status": "alive"}
    ready = anybody.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        # The API alone is up here.
        "degraded": ["worker", "beat"],
        "details": ["No worker seen.", "No Beat seen."],
        "version": settings.CARILLON_VERSION,
        "instance": settings.CARILLON_INSTANCE,
    }


@pytest.fixture
def relay(anybody: httpx.Client) -> Iterator[Provider]:
    """A mail server that the workers found to be away; the only one."""
    Provider.objects.all().delete()
    yield Provider.objects.create(name="relay", state="paused", reason="connect_failed", consecutive_failures=3)
    Provider.objects.all().delete()


def test_a_channel_whose_providers_are_all_paused_is_degraded_and_ready(anybody: httpx.Client, relay: Provider) -> None:
    ready = anybody.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert "email_providers" in ready.json()["degraded"]
    # What only keeps mail does not count beside a real server, nor does one that is switched off.
    Provider.objects.create(name="catcher", origin="environment", settings={"want_of_better": True})
    Provider.objects.create(name="off", enabled=False)
    assert "email_providers" in anybody.get("/readyz").json()["degraded"]
    Provider.objects.create(name="second")
    assert "email_providers" not in anybody.get("/readyz").json()["degraded"]


def test_metrics_show_the_providers(anybody: httpx.Client, relay: Provider) -> None:
    from api import exposition

    Provider.objects.create(name="second")
    exposition._looked_at = float("-inf")
    lines = dict(line.rsplit(" ", 1) for line in anybody.get("/metrics").text.splitlines() if line[0] != "#")
    assert float(lines['carillon_provider_paused{channel="email",provider="relay"}']) == 1
    assert float(lines['carillon_provider_paused{channel="email",provider="second"}']) == 0
    assert float(lines['carillon_provider_consecutive_failures{channel="email",provider="relay"}']) == 3


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


@pytest.mark.usefixtures("nobody_at_work")
def test_ready_says_who_is_not_at_work(anybody: httpx.Client) -> None:
    now = timezone.now()
    row = {"host": "h", "pid": 1, "version": "1"}
    worker = Heartbeat.objects.create(role="worker", last_seen_at=now - timedelta(seconds=70), **row)
    Heartbeat.objects.create(role="beat", **row)
    ready = anybody.get("/readyz")
    assert (ready.status_code, ready.json()["status"], ready.json()["degraded"]) == (200, "ready", ["worker"])
    assert ready.json()["details"][0].startswith("No worker seen for 7")
    Heartbeat.objects.filter(id=worker.id).update(last_seen_at=now)
    assert "email_providers" not in anybody.get("/readyz").json()["degraded"]


@pytest.mark.usefixtures("nobody_at_work")
def test_metrics_show_processes_laws_and_the_oldest_due_row_of_every_stage(
    anybody: httpx.Client, tenant: Tenant
) -> None:
    now = timezone.now()
    row = {"host": "h", "pid": 1, "version": "1"}
    Heartbeat.objects.create(role="worker", last_seen_at=now - timedelta(seconds=70), **row)
    Heartbeat.objects.create(role="worker", **row)
    LawCheck.objects.create(law="inbox_counts", broken=3, examples=["1"], checked_at=now - timedelta(seconds=30))
    notification = Notification.objects.create(
        project=tenant.project, recipients=[], content={}, channels=[], available_at=now - timedelta(minutes=10)
    )
    late = add_delivery(tenant, notification, "queued", channel="webhook")
    Delivery.objects.filter(id=late.id).update(available_at=now - timedelta(minutes=5))
    urgent = add_delivery(tenant, notification, "queued", channel="webhook", to="u2")
    Delivery.objects.filter(id=urgent.id).update(available_at=now - timedelta(minutes=7), critical=True)
    later = add_delivery(tenant, notification, "queued", channel="in_app")
    Delivery.objects.filter(id=later.id).update(available_at=now + timedelta(minutes=5))
    lines = metrics(anybody)
    assert lines['carillon_processes{role="worker",state="alive"}'] == 1
    assert lines['carillon_processes{role="worker",state="silent"}'] == 1
    assert lines['carillon_processes{role="beat",state="alive"}'] == 0
    assert lines['carillon_law_violations{law="inbox_counts"}'] == 3
    assert 30 <= lines["carillon_law_check_age_seconds"] < 90
    assert 600 <= lines['carillon_oldest_due_age_seconds{stage="route"}'] < 660
    assert 420 <= lines['carillon_oldest_due_age_seconds{stage="webhook"}'] < 480
    assert lines['carillon_oldest_due_age_seconds{stage="in_app"}'] == 0


def metrics(anybody: httpx.Client) -> dict[str, float]:
    """A fresh look, by the name of each series."""
    from api import exposition

    exposition._looked_at = float("-inf")
    answer = anybody.get("/metrics", headers={"Accept": "text/plain"})
    lines = (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}

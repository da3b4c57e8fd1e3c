"""The audit log: written with the change it tells of, by whom, without values; nobody can change it afterwards."""

import pytest
from django.db import DatabaseError, connection, transaction

from delivery.models import EventEndpoint, Provider, SendLimit
from notifications.acting import acting_as
from notifications.models import ApiKey, AuditEntry, Project
from notifications.services.projects import create_api_key

pytestmark = pytest.mark.django_db


def entries(**wanted: object) -> list[tuple[str, str, str, list[str]]]:
    rows = AuditEntry.objects.filter(**wanted).order_by("id")
    return [(row.actor, row.action, row.subject, row.changed) for row in rows]


def test_who_changed_what_and_no_value() -> None:
    project = Project.objects.create(name="secret name")
    with acting_as("user ada"):
        key, _ = create_api_key(project=project, name="shop", scopes=["admin"])
        ApiKey.objects.filter(pk=key.pk).update(name="other", revoked_at="2031-01-01T00:00:00Z")
    Project.objects.filter(pk=project.pk).update(name="renamed")
    told = entries(project_id=project.pk)
    assert [(actor, action, subject) for actor, action, subject, _ in told] == [
        ("", "insert", "notifications_project"),
        ("user ada", "insert", "notifications_apikey"),
        ("user ada", "update", "notifications_apikey"),
        ("", "update", "notifications_project"),
    ]
    assert told[2][3] == ["name", "revoked_at"] and told[3][3] == ["name"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(e::text, '') FROM notifications_auditentry e")
        assert "secret name" not in cursor.fetchone()[0]


def test_what_is_taken_back_was_never_told() -> None:
    with transaction.atomic():
        Project.objects.create(name="gone")
        transaction.set_rollback(True)
    assert entries() == []


def test_nothing_new_is_no_news_and_health_is_none_either() -> None:
    project = Project.objects.create(name="p")
    provider = Provider.objects.create(name="relay")
    limit = SendLimit.objects.create(channel="email", per_second=5)
    EventEndpoint.objects.create(project=project, key="k", url="https://example.com/")
    before = len(entries())
    Project.objects.filter(pk=project.pk).update(name="p")
    Provider.objects.filter(pk=provider.pk).update(state="paused", reason="connect_failed", health_version=2)
    SendLimit.objects.filter(pk=limit.pk).update(spent_until="2031-01-01T00:00:00Z")
    assert len(entries()) == before == 4
    Provider.objects.filter(pk=provider.pk).update(enabled=False)
    provider.delete()
    assert [(action, changed[:1]) for _, action, _, changed in entries()[before:]] == [
        ("update", ["enabled"]),
        ("delete", ["channel"]),
    ]


@pytest.mark.parametrize(
    "deed", ["UPDATE notifications_auditentry SET actor = 'x'", "DELETE FROM notifications_auditentry"]
)
def test_it_is_append_only(deed: str) -> None:
    Project.objects.create(name="p")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed)
    assert len(entries()) == 1


def test_the_name_does_not_stay_on_the_connection() -> None:
    with pytest.raises(RuntimeError), acting_as("user ada"):
        raise RuntimeError
    Project.objects.create(name="p")
    assert entries()[-1][0] == ""

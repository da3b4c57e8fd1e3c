"""The audit log: written with the change it tells of, by whom, without values; nobody can change it afterwards."""

import pytest
from django.db import DatabaseError, connection, transaction

from delivery.models import EventEndpoint, Provider, SendLimit
from notifications.acting import acting_as
from notifications.models import ApiKey, AuditEntry, Endpoint, Project
from notifications.services.endpoints import create_endpoint, forget_old_secrets, rotate_secret
from notifications.services.projects import create_api_key
from notifications.services.recipients import ensure_recipient
from notifications.services.suppressions import delete_suppression, suppress_email
from notifications.services.templates import put_template
from notifications.services.workflows import archive_workflow, publish_version, put_workflow

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


def test_workflows_are_told_of_with_their_drafts() -> None:
    project = Project.objects.create(name="p")
    said = {"name": "Hello", "steps": [{"key": "bell", "type": "in_app", "template": {"title": "Hi"}}]}
    with acting_as("user ada"):
        put_workflow(project_id=project.pk, key="w", definition=said, draft=True)
        publish_version(project_id=project.pk, key="w", number=1)
        put_workflow(project_id=project.pk, key="w", definition={**said, "name": "Hello again"})
        archive_workflow(project_id=project.pk, key="w")
    told = entries(project_id=project.pk, actor="user ada")
    assert [(action, subject.partition("_")[2]) for _, action, subject, _ in told] == [
        ("insert", "workflow"),
        ("insert", "workflowversion"),
        ("update", "workflow"),
        ("update", "workflow"),
        ("update", "workflow"),
    ]
    assert [changed for *_, changed in told[2:]] == [
        ["published_version_id"],
        ["published_version_id"],
        ["archived_at"],
    ]


def test_templates_endpoints_and_suppressions_are_told_of_without_what_the_clock_does() -> None:
    project = Project.objects.create(name="p")
    recipient = ensure_recipient(project_id=project.pk, external_id="u1")
    with acting_as("user ada"):
        for title in ("Hi", "Ho"):
            variants = {"in_app": {"default": {"title": title}}}
            put_template(project_id=project.pk, key="t", kind="template", name="", variants=variants)
        endpoint, _ = create_endpoint(
            project_id=project.pk,
            external_id=recipient.external_id,
            channel="webhook",
            url="https://example.com/secret",
        )
        rotate_secret(project_id=project.pk, external_id=recipient.external_id, endpoint_id=endpoint.pk)
        found, _ = suppress_email(project_id=project.pk, address="u1@example.com", reason="manual")
        delete_suppression(project_id=project.pk, suppression_id=found.pk)
    Endpoint.objects.update(old_secret_until="2021-01-01T00:00:00Z")
    assert forget_old_secrets() == 1
    told = [(subject.partition("_")[2], action) for _, action, subject, _ in entries(actor="user ada")]
    assert told == [
        ("template", "insert"),
        ("template", "update"),
        ("template", "update"),
        ("endpoint", "insert"),
        ("endpoint", "update"),
        ("suppression", "insert"),
        ("suppression", "delete"),
    ]
    assert {action for _, action, subject, _ in entries(actor="") if "endpoint" in subject} == set()

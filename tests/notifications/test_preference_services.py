"""Unsubscribing becomes a preference and always works; a recipient's changes never undo each other."""

import threading
from typing import Any

import pytest
from django.db import connection, connections

from notifications.models import Project, ProjectSettings, Recipient, RecipientPreferences
from notifications.preferences.deciding import decide
from notifications.preferences.parsing import parse_preferences
from notifications.services.preferences import change_preferences, patch_preferences, put_preferences
from notifications.services.unsubscriptions import unsubscribe_by_link
from notifications.signed_links import digest_address
from notifications.unsubscribe_links import UnsubscribeLink

Source = RecipientPreferences.Source


@pytest.fixture
def ada(transactional_db: None) -> Recipient:
    project = Project.objects.create(name="tests")
    return Recipient.objects.create(project=project, external_id="ada", email="ada@example.com")


def link_of(recipient: Recipient, workflow: str | None = None) -> UnsubscribeLink:
    assert recipient.email
    digest = digest_address(recipient.email)
    return UnsubscribeLink(recipient.project_id, recipient.pk, digest, "news", workflow)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"categories": {"news": {"email": False}}}),
        ({"categories": {"news": {"sms": False}}}, {"categories": {"news": {"sms": False, "email": False}}}),
        ({"categories": {"news": False}}, {"categories": {"news": False}}),
        (
            {"categories": {"news": True, "orders": True}},
            {"categories": {"news": {"email": False, "in_app": True, "webhook": True}, "orders": True}},
        ),
        ({"channels": {"sms": False}}, {"channels": {"sms": False}, "categories": {"news": {"email": False}}}),
    ],
    ids=str,
)
def test_one_click_is_one_of_the_preferences(ada: Recipient, before: Any, after: Any) -> None:
    put_preferences(project_id=ada.project_id, external_id="ada", settings=before)
    assert unsubscribe_by_link(link_of(ada), source=Source.ONE_CLICK) is (before != after)
    row = RecipientPreferences.objects.get(recipient=ada)
    assert (row.settings, row.source) == (after, Source.ONE_CLICK if before != after else Source.API)
    assert unsubscribe_by_link(link_of(ada), source=Source.ONE_CLICK) is False


@pytest.mark.parametrize("whose", ["own", "project"])
def test_who_unsubscribes_from_a_mail_gets_no_more_of_its_kind(ada: Recipient, whose: str) -> None:
    """Also where something more specific said yes."""
    yes = {"workflows": {"weekly": {"email": True}}}
    if whose == "own":
        put_preferences(project_id=ada.project_id, external_id="ada", settings=yes)
    else:
        ProjectSettings.objects.create(project_id=ada.project_id, preferences=yes)
    assert unsubscribe_by_link(link_of(ada, "weekly"), source=Source.ONE_CLICK)
    own = parse_preferences(RecipientPreferences.objects.get(recipient=ada).settings)
    defaults = parse_preferences(yes if whose == "project" else {})
    for workflow in ("weekly", "other"):
        assert not decide("email", workflow=workflow, category="news", own=own, defaults=defaults).allowed
    assert decide("in_app", workflow="weekly", category="news", own=own, defaults=defaults).allowed


def test_a_projects_more_specific_yes_is_answered_by_a_more_specific_no(ada: Recipient) -> None:
    put_preferences(project_id=ada.project_id, external_id="ada", settings={"categories": {"news": False}})
    project = {"categories": {"news": {"email": True}}}
    ProjectSettings.objects.create(project_id=ada.project_id, preferences=project)
    assert unsubscribe_by_link(link_of(ada), source=Source.ONE_CLICK)
    own = parse_preferences(RecipientPreferences.objects.get(recipient=ada).settings)
    assert not decide("email", category="news", own=own, defaults=parse_preferences(project)).allowed


def test_who_has_another_address_now_is_not_decided_for(ada: Recipient) -> None:
    link = link_of(ada)
    Recipient.objects.filter(pk=ada.pk).update(email="other@example.com")
    assert unsubscribe_by_link(link, source=Source.PAGE) is False
    assert not RecipientPreferences.objects.exists()


def test_two_at_once_both_count(ada: Recipient) -> None:
    def patch(name: str) -> None:
        for _ in range(10):
            patch_preferences(project_id=ada.project_id, external_id="ada", patch={"channels": {name: False}})
        connections.close_all()

    threads = [threading.Thread(target=patch, args=(name,)) for name in ("sms", "push", "chat")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = RecipientPreferences.objects.get(recipient=ada)
    assert row.settings == {"channels": {"sms": False, "push": False, "chat": False}}


def test_saying_the_same_again_changes_nothing(ada: Recipient) -> None:
    first = change_preferences(ada, lambda _: {"channels": {"sms": False}}, source=Source.API)
    again = change_preferences(ada, lambda before: before, source=Source.PAGE)
    assert (again.source, again.updated_at) == (Source.API, first.updated_at)


def test_unsubscriptions_become_preferences(ada: Recipient) -> None:
    """The migration there and back, with the rows as they were before it."""
    from importlib import import_module

    migration = import_module("notifications.migrations.0014_preferences")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE notifications_unsubscription (id uuid, project_id uuid, recipient_id uuid, channel text,"
            " category text, source text, created_at timestamptz)"
        )
        for channel, category, source, at in (
            ("email", "news", "one_click", "2026-01-01"),
            ("email", "ads", "page", "2026-03-01"),
            ("sms", "ads", "one_click", "2026-02-01"),
        ):
            cursor.execute(
                "INSERT INTO notifications_unsubscription VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s)",
                (ada.project_id, ada.pk, channel, category, source, f"{at}T00:00Z"),
            )
        cursor.execute(migration.FORWARD)
        row = RecipientPreferences.objects.get(recipient=ada)
        assert row.settings == {"categories": {"news": {"email": False}, "ads": {"email": False, "sms": False}}}
        assert (row.project_id, row.source, row.updated_at.month) == (ada.project_id, "page", 3)
        cursor.execute("DELETE FROM notifications_unsubscription")
        cursor.execute(migration.BACKWARD)
        cursor.execute("SELECT channel, category FROM notifications_unsubscription ORDER BY category, channel")
        assert cursor.fetchall() == [("email", "ads"), ("sms", "ads"), ("email", "news")]

"""Workflows in the admin: drawn step by step, published, archived and brought back by a button."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from deploy.admin.step_cards import cards, lasting
from deploy.examples.loading import read_examples
from notifications.models import Workflow, WorkflowVersion
from notifications.services.workflows import put_workflow
from notifications.workflows import logic_words
from notifications.workflows.parsing import parse_definition
from tests.deploy.operator import World, staff, superuser

pytestmark = pytest.mark.usefixtures("static_names")

SUBMIT = {"_form_submitted": "1"}


def greeting(title: str) -> dict[str, Any]:
    return {"name": "Greeting", "steps": [{"key": "bell", "type": "in_app", "template": {"title": title}}]}


def greet(world: World) -> Workflow:
    """A workflow with a published version 1 and a draft 2."""
    put_workflow(project_id=world.project.pk, key="greet", definition=greeting("One"))
    put_workflow(project_id=world.project.pk, key="greet", definition=greeting("Two"), draft=True)
    return Workflow.objects.get(project=world.project, key="greet")


def page_of(row: Workflow | WorkflowVersion) -> str:
    return reverse(f"admin:notifications_{row._meta.model_name}_change", args=[row.pk])


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"!": {"var": "steps.bell.seen"}}, "not steps.bell.seen"),
        ({"!": [{"var": ["data.x", 1]}]}, "not data.x"),
        ({"==": [{"val": ["data", "x"]}, "high"]}, 'data.x is "high"'),
        ({"and": [{">": [{"var": "data.n"}, 1]}, {"var": "data.b"}]}, "(data.n > 1) and data.b"),
        ({"missing": ["a", "b"]}, 'missing("a", "b")'),
        ({"!!": {"var": ""}}, "everything"),
        (True, "true"),
    ],
)
def test_conditions_in_words(rule: Any, said: str) -> None:
    assert logic_words.words(rule) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "1 second"), (900, "15 minutes"), (129_600, "1 day 12 hours"), (5400, "1 hour 30 minutes"), (86_400, "1 day")],
)
def test_durations_in_words(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


def test_every_type_of_step_has_a_card() -> None:
    definition = {
        "name": "All",
        "steps": [
            {
                "key": "bell",
                "type": "in_app",
                "template": {"locales": {"de": {"title": "H"}, "default": {"title": "x"}}},
            },
            {"key": "once", "type": "throttle", "limit": 2, "window": "PT1H"},
            {"key": "big", "type": "condition", "if": {"var": "data.x"}, "else": "later"},
            {"key": "wait", "type": "digest", "window": {"cron": "0 9 * * 1"}, "first_at_once": True},
            {"key": "reach", "type": "fallback", "channels": ["webhook", "email"], "wait": "PT5M", "until": "seen"},
            {"key": "later", "type": "delay", "for": "PT15M"},
            {"key": "climb", "type": "escalate", "to": ["lead"], "every": "PT15M", "channels": ["email"]},
            {"key": "told", "type": "webhook", "template": "stored"},
        ],
    }
    drawn = cards(parse_definition(definition, channels=None))
    assert [card.key for card in drawn] == ["bell", "once", "big", "wait", "reach", "later", "climb", "told"]
    assert [said.where for said in drawn[0].said] == ["default", "de"]
    assert drawn[1].sentences[0] == "At most 2 in 1 hour."
    assert (drawn[2].condition, drawn[2].otherwise) == ("data.x", "go on at later")
    assert drawn[3].sentences[0] == "Collects until the next 0 9 * * 1 (the recipient's time); up to 100, oldest first."
    assert drawn[4].sentences == ("Tries webhook, then email; each has 5 minutes to be seen.",)
    assert drawn[5].sentences == ("Waits 15 minutes.",)
    assert drawn[6].sentences == ("Every 15 minutes, 3 times, until acknowledged: tells lead by email.",)
    assert [said.key for said in drawn[7].said] == ["stored"]


@pytest.mark.django_db
def test_the_examples_are_drawn() -> None:
    world, root = World(), superuser()
    for example in read_examples():
        put_workflow(project_id=world.project.pk, key=example.key, definition=example.workflow)
    for workflow in Workflow.objects.filter(project=world.project):
        text = root.get(page_of(workflow)).content.decode()
        for step in workflow.published_version.definition["steps"] if workflow.published_version else []:
            assert f">{step['key']}</code>" in text
    assert (
        "not steps.bell.seen"
        in root.get(page_of(Workflow.objects.get(project=world.project, key="comment"))).content.decode()
    )


@pytest.mark.django_db
def test_what_people_wrote_is_shown_escaped() -> None:
    world, root = World(), superuser()
    evil = "<script>alert(1)</script>"
    definition = greeting(evil) | {"name": evil}
    definition["steps"][0]["if"] = {"==": [{"var": "data.x"}, evil]}
    put_workflow(project_id=world.project.pk, key="evil", definition=definition)
    workflow = Workflow.objects.get(project=world.project)
    for page in (
        page_of(workflow),
        page_of(workflow.versions.get()),
        reverse("admin:notifications_workflow_changelist"),
    ):
        assert "<script>alert(1)" not in root.get(page).content.decode(), page


@pytest.mark.django_db
def test_what_this_release_cannot_read_is_shown_as_it_is_stored() -> None:
    world, root = World(), superuser()
    workflow = greet(world)
    WorkflowVersion.objects.filter(workflow=workflow).update(definition={"name": "x", "steps": [{"type": "teleport"}]})
    assert "teleport" in root.get(page_of(workflow)).content.decode()


@pytest.mark.django_db
def test_publishing_a_draft_and_rolling_back() -> None:
    world, root = World(), superuser()
    workflow = greet(world)
    for number in (2, 1):
        version = workflow.versions.get(number=number)
        assert "publish_this" in root.get(page_of(version)).content.decode()
        root.post(reverse("admin:notifications_workflowversion_publish_this", args=[version.pk]), SUBMIT)
        workflow.refresh_from_db()
        assert workflow.published_version == version
        assert "publish_this" not in root.get(page_of(version)).content.decode()
    assert LogEntry.objects.filter(object_id=str(workflow.pk), change_message="Published version 2.").exists()


@pytest.mark.django_db
def test_a_version_that_does_not_fit_any_more_is_not_published() -> None:
    world, root = World(), superuser()
    workflow = greet(world)
    draft = workflow.versions.get(number=2)
    WorkflowVersion.objects.filter(pk=draft.pk).update(
        definition={"name": "x", "steps": [{"key": "fly", "type": "pigeon", "template": {"title": "x"}}]}
    )
    url = reverse("admin:notifications_workflowversion_publish_this", args=[draft.pk])
    root.post(url, SUBMIT)
    workflow.refresh_from_db()
    assert workflow.published_version is not None
    assert workflow.published_version.number == 1
    assert "Step &#x27;fly&#x27;" in root.get(page_of(draft)).content.decode()


@pytest.mark.django_db
def test_archiving_and_bringing_back() -> None:
    world, root = World(), superuser()
    workflow = greet(world)
    root.post(reverse("admin:notifications_workflow_archive_this", args=[workflow.pk]), SUBMIT)
    workflow.refresh_from_db()
    assert workflow.archived_at is not None
    root.post(reverse("admin:notifications_workflow_bring_back_this", args=[workflow.pk]), SUBMIT)
    workflow.refresh_from_db()
    assert workflow.archived_at is None


@pytest.mark.django_db
def test_who_may_only_look_cannot_press() -> None:
    world = World()
    workflow = greet(world)
    reader: Client = staff("notifications.view_workflow", "notifications.view_workflowversion")
    assert reader.get(page_of(workflow)).status_code == 200
    answer = reader.post(reverse("admin:notifications_workflow_archive_this", args=[workflow.pk]), SUBMIT)
    assert answer.status_code == 403
    workflow.refresh_from_db()
    assert workflow.archived_at is None

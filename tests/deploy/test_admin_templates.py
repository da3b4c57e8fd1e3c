"""Templates in the admin: written, checked, previewed, kept in versions, used again."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import Project, Template, TemplateVersion
from notifications.services.workflows import archive_workflow, put_workflow
from tests.deploy.operator import staff, superuser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_names")]

LIST = "/admin/notifications/template/"
VARIANTS: dict[str, Any] = {"email": {"default": {"subject": "Hi {{ data.n }}", "body": "b", "layout": "default"}}}


@pytest.fixture
def root(static_names: None) -> Client:
    return superuser()


@pytest.fixture
def project() -> Project:
    return Project.objects.create(name="shop")


def form(project: Project, variants: Any = VARIANTS, **changes: str) -> dict[str, str]:
    return {
        "project": str(project.id), "key": "hi", "kind": "template", "name": "Hi",
        "variants": variants if isinstance(variants, str) else json.dumps(variants), **changes
    }  # fmt: skip


def test_a_template_is_written_and_changed(root: Client, project: Project) -> None:
    assert root.get(f"{LIST}add/").status_code == 200
    assert root.post(f"{LIST}add/", form(project)).status_code == 302
    template = Template.objects.get()
    assert template.published is not None
    assert (template.key, template.published.number, template.published.variants) == ("hi", 1, VARIANTS)
    page = f"{LIST}{template.pk}/change/"
    assert "Hi {{ data.n }}" in root.get(page).content.decode().replace("&quot;", '"')
    changed = {"email": {"default": {"subject": "Ho"}}}
    assert root.post(page, {"name": "Ho", "variants": json.dumps(changed)}).status_code == 302
    template.refresh_from_db()
    assert template.published is not None
    assert (template.name, template.published.number) == ("Ho", 2)
    assert b"hi" in root.get(LIST).content


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"variants": "{"}, "valid JSON"),
        ({"variants": json.dumps({"email": {"default": {"subject": "{{ oops"}}})}, "Never closed"),
        ({"variants": json.dumps({"email": {"default": {"subject": "x", "layout": "nowhere"}}})}, "no layout nowhere"),
        ({"key": "a b"}, "letters, digits"),
        ({"key": "preview"}, "taken by the API"),
    ],
)
def test_what_the_api_refuses_is_refused_here(
    root: Client, project: Project, changes: dict[str, str], said: str
) -> None:
    answer = root.post(f"{LIST}add/", form(project, **changes))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Template.objects.exists()


def ask(client: Client, shop: Project, **changes: Any) -> Any:
    body = {
        "project": str(shop.id), "key": "hi", "kind": "template", "variants": VARIANTS, "channel": "email", "locale": "",
        "sample": '{"data": {"n": 7}}', **changes,
    }  # fmt: skip
    return client.post(f"{LIST}preview/", json.dumps(body), content_type="application/json")


def test_the_live_preview(root: Client, project: Project) -> None:
    shown = ask(root, project).json()
    assert (shown["subject"], shown["undefined"]) == ("Hi 7", [])
    assert "<html>" in shown["html"]
    broken = ask(root, project, variants={"email": {"default": {"subject": "{{ data.n | shout }}"}}}).json()
    assert "no filter shout" in broken["faults"][0]
    layout = ask(root, project, kind="layout", variants={"default": {"html": "<i>{{ content }}</i>"}}).json()
    assert "<i>" in layout["html"]
    partial = ask(root, project, kind="partial", variants={"default": {"text": "<u>{{ x }}</u>"}}).json()
    assert "<u>" in partial["html"]
    for nonsense in ({"sample": "{"}, {"project": ""}, {"sample": '{"data": 3}'}, {"variants": None}, {"key": "a b"}):
        assert ask(root, project, **nonsense).json()["faults"]
    assert not Template.objects.exists()


def test_only_who_may_see_templates_may_preview(project: Project, static_names: None) -> None:
    assert ask(staff(), project).status_code == 403
    assert ask(staff("notifications.view_template"), project).status_code == 200
    assert ask(Client(), project).status_code == 302
    assert staff("notifications.view_template").get(f"{LIST}preview/").status_code == 403


def test_an_older_version_is_used_again(root: Client, project: Project) -> None:
    root.post(f"{LIST}add/", form(project))
    template = Template.objects.get()
    root.post(
        f"{LIST}{template.pk}/change/", {"name": "", "variants": json.dumps({"email": {"default": {"subject": "2"}}})}
    )
    first = TemplateVersion.objects.get(number=1)
    versions = "/admin/notifications/templateversion/"
    assert root.get(versions).status_code == 200
    assert root.get(f"{versions}{first.pk}/change/").status_code == 200
    url = reverse("admin:notifications_templateversion_use_this", args=[first.pk])
    answer = root.post(url, {"_form_submitted": "1"}, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == f"{LIST}{template.pk}/change/"
    template.refresh_from_db()
    assert template.published_id == first.pk


def test_templates_are_removed_one_by_one_for_each_may_be_named(root: Client, project: Project) -> None:
    root.post(f"{LIST}add/", form(project))
    template = Template.objects.get()
    many = {"action": "delete_selected", "_selected_action": str(template.pk), "post": "yes"}
    root.post(LIST, many)
    assert Template.objects.exists()
    says_hi = {"name": "Hi", "steps": [{"key": "bell", "type": "in_app", "template": "hi"}]}
    put_workflow(project_id=project.pk, key="greet", definition=says_hi)
    assert root.post(f"{LIST}{template.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Template.objects.exists()
    archive_workflow(project_id=project.pk, key="greet")
    assert root.post(f"{LIST}{template.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Template.objects.exists()

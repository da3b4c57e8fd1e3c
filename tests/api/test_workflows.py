"""Workflows over HTTP: saved, published, rolled back, archived; and notifications that follow them."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from notifications.models import Notification, Workflow, WorkflowVersion
from tests.api.asking import Tenant, assert_problem, notification, row_counts


def workflow(title: str = "Hello", **changes: Any) -> dict[str, Any]:
    """A body of PUT /v1/workflows/{key} that is accepted as it is."""
    step = {"key": "bell", "type": "in_app", "template": {"title": title}}
    return {"name": "Greeting", "steps": [step], **changes}


def following(**changes: Any) -> dict[str, Any]:
    """A notification that follows the workflow `greet`."""
    return {"workflow": "greet", "recipients": ["u1"], **changes}


def test_a_workflow_lives(http: httpx.Client) -> None:
    made = http.put("/v1/workflows/greet", json=workflow(category="hello", critical=True))
    assert made.status_code == 201
    shown = made.json()
    assert shown | {"created_at": None} == {
        "key": "greet",
        "name": "Greeting",
        "category": "hello",
        "critical": True,
        "published": 1,
        "draft": None,
        "archived_at": None,
        "created_at": None,
        "definition": workflow(category="hello", critical=True),
    }
    again = http.put("/v1/workflows/greet", json=workflow("Good day"))
    assert (again.status_code, again.json()["published"], again.json()["category"]) == (200, 2, None)
    assert http.get("/v1/workflows/greet").json() == again.json()
    (listed,) = http.get("/v1/workflows").json()["data"]
    assert listed == {name: value for name, value in again.json().items() if name != "definition"}
    versions = http.get("/v1/workflows/greet/versions").json()["data"]
    assert [(row["number"], row["state"]) for row in versions] == [(2, "published"), (1, "superseded")]
    first = http.get("/v1/workflows/greet/versions/1").json()
    assert first["definition"] == shown["definition"]
    assert http.delete("/v1/workflows/greet").status_code == 204
    assert http.delete("/v1/workflows/greet").status_code == 204
    assert http.get("/v1/workflows/greet").json()["archived_at"] is not None


def test_the_same_definition_is_no_new_version(http: httpx.Client) -> None:
    http.put("/v1/workflows/greet", json=workflow())
    before = row_counts()
    assert http.put("/v1/workflows/greet", json=workflow()).json()["published"] == 1
    assert row_counts() == before


def test_a_draft_is_followed_by_nobody_until_it_is_published(http: httpx.Client) -> None:
    drafted = http.put("/v1/workflows/greet", json=workflow("One", draft=True))
    assert (drafted.status_code, drafted.json()["published"], drafted.json()["draft"]) == (201, None, 1)
    assert drafted.json()["definition"] is None
    assert_problem(http.post("/v1/notifications", json=following()), 422, pointer="/workflow")
    redrafted = http.put("/v1/workflows/greet", json=workflow("Two", draft=True)).json()
    assert redrafted["draft"] == 1
    published = http.post("/v1/workflows/greet/versions/1/publish").json()
    assert (published["published"], published["draft"], published["definition"]) == (1, None, workflow("Two"))
    assert http.post("/v1/notifications", json=following()).status_code == 202


def test_putting_what_is_drafted_publishes_the_draft(http: httpx.Client) -> None:
    http.put("/v1/workflows/greet", json=workflow("One"))
    http.put("/v1/workflows/greet", json=workflow("Two", draft=True))
    put = http.put("/v1/workflows/greet", json=workflow("Two")).json()
    assert (put["published"], put["draft"]) == (2, None)


def test_a_draft_outlives_what_is_published_beside_it(http: httpx.Client) -> None:
    http.put("/v1/workflows/greet", json=workflow("Draft", draft=True))
    put = http.put("/v1/workflows/greet", json=workflow("Two")).json()
    assert (put["published"], put["draft"]) == (2, 1)


def test_rolling_back(tenant: Tenant) -> None:
    http = tenant.http
    for title in ("One", "Two"):
        http.put("/v1/workflows/greet", json=workflow(title))
    back = http.post("/v1/workflows/greet/versions/1/publish", headers={"Idempotency-Key": "k"})
    assert back.json()["definition"] == workflow("One")
    states = dict(
        WorkflowVersion.objects.filter(workflow__project=tenant.project)
        .values_list("number", "state")
        .order_by("number")
    )
    assert states == {1: "published", 2: "superseded"}
    http.put("/v1/workflows/greet", json=workflow("Three"))
    again = http.post("/v1/workflows/greet/versions/1/publish", headers={"Idempotency-Key": "k"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert http.get("/v1/workflows/greet").json()["published"] == 3


@pytest.mark.parametrize("number", ["2", "0", "-1", "x", "99999999999999999999"])
def test_versions_that_are_none(http: httpx.Client, number: str) -> None:
    http.put("/v1/workflows/greet", json=workflow())
    assert_problem(http.get(f"/v1/workflows/greet/versions/{number}"), 404)
    assert_problem(http.post(f"/v1/workflows/greet/versions/{number}/publish"), 404)


def test_a_bad_definition_changes_nothing_and_names_the_step(http: httpx.Client) -> None:
    http.put("/v1/workflows/greet", json=workflow())
    before = row_counts()
    steps = [
        {"key": "bell", "type": "pigeon", "template": {"title": "x"}},
        {"key": "wait", "type": "digest", "window": {"cron": "0 25 * * *"}},
    ]
    for body in (workflow(steps=steps), workflow(steps=steps, draft=True)):
        problem = assert_problem(http.put("/v1/workflows/greet", json=body), 422, pointer="/steps/1/window/cron")
        details = [error["detail"] for error in problem["errors"]]
        assert details[0].startswith("Step 'bell': No such type of step")
        assert details[1].startswith("Step 'wait': Not a cron rule")
    for body in ([], "x", {}, workflow(draft="yes"), workflow(draft=None), workflow(more=1)):
        assert_problem(http.put("/v1/workflows/greet", json=body), 422)
    assert_problem(http.put("/v1/workflows/no good", json=workflow()), 422, pointer="/key")
    assert row_counts() == before


def test_keys_with_fewer_scopes(make_tenant: Callable[..., Tenant]) -> None:
    reader = make_tenant(scopes=("notifications:read", "notifications:write")).http
    assert reader.get("/v1/workflows").status_code == 200
    assert_problem(reader.put("/v1/workflows/greet", json=workflow()), 403)


def test_a_notification_keeps_the_version_it_was_accepted_with(tenant: Tenant) -> None:
    http = tenant.http
    http.put("/v1/workflows/greet", json=workflow("One", category="hello"))
    first = http.post("/v1/notifications", json=following())
    http.put("/v1/workflows/greet", json=workflow("Two", critical=True))
    second = http.post("/v1/notifications", json=following(category="own", data={"a": 1}, channels=["in_app"]))
    assert (first.status_code, second.status_code) == (202, 202)
    rows = Notification.objects.filter(project=tenant.project).order_by("id").select_related("workflow_version")
    one, two = rows
    assert one.workflow_version is not None
    assert two.workflow_version is not None
    assert (one.workflow, one.workflow_version.number, one.category, one.critical) == ("greet", 1, "hello", False)
    assert (two.workflow, two.workflow_version.number, two.category, two.critical) == ("greet", 2, "own", True)
    assert (one.content, one.channels, two.channels) == ({}, [], ["in_app"])
    shown = http.get(f"/v1/notifications/{first.json()['id']}").json()
    assert (shown["workflow"], shown["content"], shown["channels"]) == ("greet", None, [])


def test_what_a_notification_may_not_say_with_a_workflow(http: httpx.Client) -> None:
    schema = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    http.put("/v1/workflows/greet", json=workflow(schema=schema))
    before = row_counts()
    for body, pointer in (
        (following(data={"n": 1}, content={"title": "x"}), "/content"),
        (notification(workflow="greet"), "/content"),
        (following(), "/data"),
        (following(data={"n": "1"}), "/data/n"),
        (following(data={"n": 1}, channels=["webhook"]), "/channels"),
        (following(data={"n": 1}, channels=["fax"]), "/channels/0"),
        (following(workflow="unknown"), "/workflow"),
        (following(workflow="no good"), "/workflow"),
        (following(data={"n": 1}, recipients=[{"topic": "none"}], workflow="unknown"), "/workflow"),
        (following(data={"n": 1}, recipients=[{"topic": "none"}]), "/recipients/0/topic"),
    ):
        assert_problem(http.post("/v1/notifications", json=body), 422, pointer=pointer)
    assert row_counts() == before
    assert http.post("/v1/notifications", json=following(data={"n": 1})).status_code == 202


def test_archiving_refuses_new_notifications_and_publishing_brings_back(http: httpx.Client) -> None:
    http.put("/v1/workflows/greet", json=workflow())
    assert http.post("/v1/notifications", json=following()).status_code == 202
    http.delete("/v1/workflows/greet")
    assert_problem(http.post("/v1/notifications", json=following()), 422, pointer="/workflow")
    http.put("/v1/workflows/greet", json=workflow("Draft", draft=True))
    assert_problem(http.post("/v1/notifications", json=following()), 422, pointer="/workflow")
    assert http.put("/v1/workflows/greet", json=workflow()).json()["archived_at"] is None
    assert http.post("/v1/notifications", json=following()).status_code == 202


def test_bulk_answers_each_by_itself(tenant: Tenant) -> None:
    http = tenant.http
    http.put("/v1/workflows/greet", json=workflow(schema={"required": ["n"]}))
    bodies = [following(data={"n": 1}), following(), notification(), following(workflow="unknown")]
    results = http.post("/v1/notifications/bulk", json={"notifications": bodies}).json()["data"]
    assert [result["status"] for result in results] == ["accepted", 422, "accepted", 422]
    assert results[1]["errors"][0]["pointer"] == "/data"
    assert results[3]["errors"][0]["pointer"] == "/workflow"
    assert Notification.objects.filter(project=tenant.project).count() == 2


def test_two_projects_may_use_one_key(make_tenant: Callable[..., Tenant]) -> None:
    ours, theirs = make_tenant(), make_tenant()
    ours.http.put("/v1/workflows/greet", json=workflow(schema={"required": ["n"]}))
    theirs.http.put("/v1/workflows/greet", json=workflow())
    for _ in range(2):
        assert_problem(ours.http.post("/v1/notifications", json=following()), 422, pointer="/data")
        assert theirs.http.post("/v1/notifications", json=following()).status_code == 202
    assert Workflow.objects.filter(key="greet", project__in=[ours.project, theirs.project]).count() == 2


def test_a_repeated_request_is_told_the_same_after_archiving(http: httpx.Client) -> None:
    http.put("/v1/workflows/greet", json=workflow())
    first = http.post("/v1/notifications", json=following(), headers={"Idempotency-Key": "k"})
    http.delete("/v1/workflows/greet")
    again = http.post("/v1/notifications", json=following(), headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()) == (202, first.json())


def test_pages_of_workflows(http: httpx.Client) -> None:
    for name in ("a", "b", "c"):
        http.put(f"/v1/workflows/{name}", json=workflow())
    first = http.get("/v1/workflows", params={"limit": 2}).json()
    second = http.get("/v1/workflows", params={"limit": 2, "after": first["next"]}).json()
    assert [row["key"] for row in first["data"] + second["data"]] == ["c", "b", "a"]


def said_by(template: str, **changes: Any) -> dict[str, Any]:
    """A workflow whose one step says a stored template."""
    return workflow(steps=[{"key": "bell", "type": "in_app", "template": template}], **changes)


def test_a_template_that_is_not_there_cannot_be_named(http: httpx.Client) -> None:
    http.put("/v1/templates/frame", json={"kind": "layout", "variants": {"default": {"html": "{{ content }}"}}})
    climb = {"key": "climb", "type": "escalate", "to": ["u2"], "every": "PT5M", "channels": ["in_app", "webhook"]}
    before = row_counts()
    for steps, pointer, detail in (
        (said_by("gone")["steps"], "/steps/0/template", "Step 'bell': There is no template gone."),
        (said_by("frame")["steps"], "/steps/0/template", "Step 'bell': frame is a layout, not a template."),
        (
            [*workflow()["steps"], {**climb, "templates": {"webhook": "gone"}}],
            "/steps/1/templates/webhook",
            "Step 'climb': There is no template gone.",
        ),
    ):
        for draft in (False, True):
            body = workflow(steps=steps, draft=draft)
            problem = assert_problem(http.put("/v1/workflows/greet", json=body), 422, pointer=pointer)
            assert problem["errors"][0]["detail"] == detail
    assert row_counts() == before


def test_a_template_of_another_project_is_not_there(make_tenant: Callable[..., Tenant]) -> None:
    ours, theirs = make_tenant().http, make_tenant().http
    theirs.put("/v1/templates/hello", json={"variants": {"default": {"default": {"title": "Hello"}}}})
    assert_problem(ours.put("/v1/workflows/greet", json=said_by("hello")), 422, pointer="/steps/0/template")
    assert theirs.put("/v1/workflows/greet", json=said_by("hello")).status_code == 201


@pytest.mark.parametrize("place", [{"template": "hello"}, {"templates": {"in_app": "hello"}}])
def test_a_template_that_a_workflow_in_use_names_stays(http: httpx.Client, place: dict[str, Any]) -> None:
    hello = {"variants": {"default": {"default": {"title": "Hello"}}}}
    http.put("/v1/templates/hello", json=hello)
    reach = {"key": "reach", "type": "fallback", "channels": ["in_app"], "wait": "PT5M", **place}
    assert http.put("/v1/workflows/greet", json=workflow(steps=[reach])).status_code == 201
    before = row_counts()
    assert assert_problem(http.delete("/v1/templates/hello"), 409)["detail"] == "The workflow greet uses it."
    assert row_counts() == before
    http.put("/v1/workflows/greet", json=workflow("In line"))
    assert http.delete("/v1/templates/hello").status_code == 204
    # The version that named it holds only once it is there again.
    again = "/v1/workflows/greet/versions/1/publish"
    where = "/steps/0/" + ("template" if "template" in place else "templates/in_app")
    assert_problem(http.post(again), 422, pointer=where)
    assert http.get("/v1/workflows/greet").json()["published"] == 2
    http.put("/v1/templates/hello", json=hello)
    assert http.post(again).status_code == 200
    http.delete("/v1/workflows/greet")
    assert http.delete("/v1/templates/hello").status_code == 204

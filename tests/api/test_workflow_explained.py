"""What workflows decide, told: by a dry run before, by an explanation afterwards; both from the engine itself."""

from typing import Any

from delivery.explain.walks import CODES
from delivery.models import Delivery, Run
from notifications.models import Notification, Recipient
from schedules.models import Digest
from tests.api.asking import Tenant, assert_problem

STEPS: list[dict[str, Any]] = [
    {"key": "bell", "type": "in_app", "template": {"title": "{{ data.text }}", "body": "b"}},
    {
        "key": "sms",
        "type": "webhook",
        "if": {"==": [{"var": "data.loud"}, True]},
        "template": {"title": "t", "body": "b"},
    },
    {"key": "wait", "type": "digest", "digest_key": "{{ data.thread }}", "window": {"for": "PT30M"}},
    {"key": "mail", "type": "email", "template": {"subject": "s", "body": "b"}},
]


def publish(tenant: Tenant, steps: list[dict[str, Any]] = STEPS) -> None:
    tenant.http.put("/v1/workflows/comment", json={"name": "Comment", "steps": steps}).raise_for_status()


def body(**more: Any) -> dict[str, Any]:
    return {"workflow": "comment", "recipients": ["u1"], "data": {"text": "hi", "thread": "t1"}, **more}


def test_a_dry_run_says_what_the_engine_would_do_and_keeps_nothing(tenant: Tenant) -> None:
    publish(tenant)
    answer = tenant.http.post("/v1/notifications?dry_run=true", json=body())
    assert answer.status_code == 200
    plan = answer.json()
    (entry,) = plan["entries"]
    assert [(way["channel"], way["step"], way["delivers"]) for way in entry["recipients"][0]["ways"]] == [
        ("in_app", "bell", True)
    ]
    (run,) = plan["runs"]
    assert [decision["code"] for decision in run["decisions"]] == ["skipped"]
    assert run["decisions"][0]["summary"] == (
        "Step 'sms' was skipped: its condition, data.loud is true (data.loud was nothing), did not hold."
    )
    assert run["decisions"][0]["detail"]["values"] == {"data.loud": None}
    (digest,) = plan["digests"]
    assert (digest["step"], digest["key"], digest["state"], digest["count"]) == ("wait", "t1", "open", 1)
    assert digest["summary"].startswith(
        "It waits alone in the digest of step 'wait' under the key 't1', which closes at "
    )
    for model in (Notification, Recipient, Delivery, Run, Digest):
        assert not model._default_manager.filter(project=tenant.project).exists()


def test_a_dry_run_refuses_what_accepting_refuses(tenant: Tenant) -> None:
    schema = {"type": "object", "required": ["text"]}
    tenant.http.put("/v1/workflows/comment", json={"name": "c", "schema": schema, "steps": STEPS}).raise_for_status()
    assert_problem(tenant.http.post("/v1/notifications?dry_run=true", json=body(data={})), 422, pointer="/data")
    assert_problem(
        tenant.http.post("/v1/notifications?dry_run=true", json=body(workflow="other")), 422, pointer="/workflow"
    )


def test_a_dry_run_of_a_topic_shows_its_first_members(tenant: Tenant) -> None:
    publish(tenant)
    names = [f"m{n}" for n in range(130)]
    tenant.http.post("/v1/topics/team/subscriptions", json={"recipients": names}).raise_for_status()
    plan = tenant.http.post("/v1/notifications?dry_run=true", json=body(recipients=["u1", {"topic": "team"}])).json()
    assert [entry["count"] for entry in plan["entries"]] == [1, 100]


def test_an_explanation_of_what_waits_names_the_version(tenant: Tenant) -> None:
    publish(tenant)
    sent = tenant.http.post("/v1/notifications", json=body()).json()["id"]
    told = tenant.http.get(f"/v1/notifications/{sent}/explain").json()
    assert {"code": "workflow", "detail": {"workflow": "comment", "version": 1}}.items() <= {
        key: value
        for decision in told["decisions"]
        if decision["code"] == "workflow"
        for key, value in decision.items()
    }.items()
    assert (told["runs"], told["digests"], told["data"]) == ([], [], [])


def test_every_code_of_a_walk_has_a_sentence() -> None:
    """Codes stand in `note(...)` calls of `delivery/runs`."""
    import re
    from pathlib import Path

    import delivery.runs.steps

    folder = Path(delivery.runs.steps.__file__).parent
    noted = {code for path in folder.glob("*.py") for code in re.findall(r'\.note\(\s*"([a-z_]+)"', path.read_text())}
    assert noted == CODES

"""Runs, digests and explanations in the admin: found from everywhere, told in words, nothing changed by looking."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from delivery.models import Delivery, Run
from delivery.states import State
from deploy.admin.walks import marked_steps
from notifications import ids
from notifications.models import Notification, Recipient, Workflow, WorkflowVersion
from notifications.services.workflows import put_workflow
from schedules.models import Digest, DigestItem
from tests.deploy.operator import World, staff, superuser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_names")]

STEPS: list[dict[str, Any]] = [
    {"key": "bell", "type": "in_app", "template": {"title": "{{ data.text }}", "body": ""}},
    {"key": "collect", "type": "digest", "digest_key": "{{ data.thread }}", "window": {"for": "PT30M"}},
    {
        "key": "mail",
        "type": "email",
        "if": {"!": {"var": "steps.bell.seen"}},
        "template": {
            "subject": "{{ total_items }} comments by {{ actors | names: 2 }}",
            "body": "{% for item in items %}- {{ item.data.text }}\n{% endfor %}",
        },
    },
]


class Walks(World):
    """A workflow that collects, and somebody who walks it."""

    def __init__(self) -> None:
        super().__init__()
        definition = {"name": "Comments", "category": "collaboration", "steps": STEPS}
        put_workflow(project_id=self.project.pk, key="comment", definition=definition)
        self.workflow = Workflow.objects.get(project=self.project)
        self.version = WorkflowVersion.objects.get(workflow=self.workflow)
        self.ada = self.recipient("ada", email="ada@example.com", name="Ada")

    def event(self, text: str = "hi", **fields: Any) -> Notification:
        values = {"content": {}, "channels": [], "workflow": "comment", "workflow_version_id": self.version.pk}
        data = {"text": text, "thread": "t1"}
        return self.notification(**{**values, "data": data, "actor": "bo", "recipients": ["ada"], **fields})

    def digest(self, *events: Notification, closed: bool = False) -> Digest:
        now = timezone.now()
        digest = Digest.objects.create(
            project=self.project,
            recipient=self.ada,
            workflow_id=self.workflow.pk,
            step="collect",
            key="t1",
            count=len(events),
            joinable=not closed,
            opened_at=now,
            latest_at=now,
            closes_at=now + timedelta(minutes=30),
            closed_at=now if closed else None,
        )
        for event in events:
            DigestItem.objects.create(digest=digest, notification=event, recipient=self.ada, step="collect")
        return digest

    def run(self, event: Notification, *, digest: Digest | None = None, **fields: Any) -> Run:
        values: dict[str, Any] = {
            "state": "waiting",
            "position": 1,
            "available_at": timezone.now() + timedelta(minutes=30),
        }
        if fields.get("state", "waiting") != "waiting":
            values |= {"available_at": None, "finished_at": timezone.now(), "reason": "completed", "position": 3}
        return Run.objects.create(
            project=self.project,
            notification=event,
            recipient=self.ada,
            digest_id=digest.pk if digest else None,
            version_id=self.version.pk,
            memory={"collects": True} if digest else {},
            **{**values, **fields},
        )


@pytest.fixture
def world() -> Walks:
    return Walks()


@pytest.fixture
def root(static_names: None) -> Client:
    return superuser()


def page_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_of(model: type[Any]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_a_digests_page_shows_what_is_in_it_and_what_would_go_out(world: Walks, root: Client) -> None:
    world.recipient("bo", name="Bo")
    events = [world.event("first"), world.event("second"), world.event("<script>alert(1)</script>")]
    digest = world.digest(*events)
    run = world.run(events[0], digest=digest)
    text = root.get(page_of(digest)).content.decode()
    assert "3 comments by Bo" in text and "- first" in text
    assert "if not steps.bell.seen" in text
    assert "<script>alert(1)" not in text
    for each in (*events, world.ada, world.workflow, run):
        assert page_of(each) in text
    assert digest.public_id in root.get(list_of(Digest)).content.decode()


def test_what_left_a_digest_says_why_and_is_not_in_the_preview(world: Walks, root: Client) -> None:
    stays, leaves = world.event("stays"), world.event("leaves")
    digest = world.digest(stays, leaves)
    DigestItem.objects.filter(notification=leaves).update(
        removed_at=timezone.now(), removed_reason="cancelled_by_caller"
    )
    world.run(stays, digest=digest)
    text = root.get(page_of(digest)).content.decode()
    assert "1 comments" in text and "- leaves" not in text
    assert "It was cancelled before it was sent." in text


def test_a_closed_digest_shows_what_went_out_instead(world: Walks, root: Client) -> None:
    event = world.event()
    digest = world.digest(event, closed=True)
    delivery = world.delivery(
        State.SENT, recipient=world.ada, notification=event, digest_id=digest.pk, step="mail", attempts=("accepted",)
    )
    text = root.get(page_of(digest)).content.decode()
    assert "What went out" in text and "What would go out" not in text
    assert page_of(delivery) in text


def test_a_runs_page_says_in_words_where_it_stands_and_why(world: Walks, root: Client) -> None:
    event = world.event()
    noted = {
        "step": "mail",
        "code": "skipped",
        "at": "2027-03-01T09:00:00+00:00",
        "detail": {"condition": {"!": {"var": "steps.bell.seen"}}, "values": {"steps.bell.seen": True}, "error": None},
    }
    run = world.run(event, log=[noted])
    world.delivery(State.SENT, recipient=world.ada, notification=event, channel="in_app", step="bell")
    text = root.get(page_of(run)).content.decode()
    assert "was skipped: its condition, not steps.bell.seen (steps.bell.seen was true), did not hold." in text
    assert "2027-03-01 09:00:00 UTC" in text
    assert 'aria-current="step"' in text
    for each in (event, world.ada, world.version):
        assert page_of(each) in text


@pytest.mark.parametrize(
    ("fields", "stands"),
    [
        ({"position": 1}, ["done", "here", "ahead"]),
        ({"state": "done"}, ["done", "done", "done"]),
        ({"state": "done", "reason": "condition_not_met", "position": 0}, ["here", "ahead", "ahead"]),
        ({"state": "cancelled", "reason": "cancelled_by_caller", "position": 1}, ["done", "here", "ahead"]),
    ],
)
def test_the_path_shows_what_is_behind_and_ahead(world: Walks, fields: dict[str, Any], stands: list[str]) -> None:
    run = world.run(world.event(), **fields)
    assert [stand for _, stand in marked_steps(run, world.version)] == stands


def test_lists_are_filtered_by_state_workflow_and_project_and_found_by_ids_and_people(
    world: Walks, root: Client
) -> None:
    waiting, done = world.run(world.event()), world.run(world.event(), state="done")
    other = Walks()
    elsewhere = other.run(other.event())
    open_digest, closed = world.digest(waiting.notification), world.digest(done.notification, closed=True)

    def shown(model: type[Any], **query: Any) -> str:
        return root.get(list_of(model), query).content.decode()

    for query, there, missing in (
        ({"state": "waiting"}, waiting, done),
        ({"state": "done"}, done, waiting),
        ({"workflow": world.workflow.pk}, waiting, elsewhere),
        ({"project__id__exact": world.project.pk}, waiting, elsewhere),
        ({"q": waiting.public_id}, waiting, done),
        ({"q": waiting.notification.public_id}, waiting, done),
        ({"recipient": world.ada.pk}, waiting, elsewhere),
    ):
        page = shown(Run, **query)
        assert there.public_id in page and missing.public_id not in page, query
    for query, there, missing in (
        ({"state": "open"}, open_digest, closed),
        ({"state": "closed"}, closed, open_digest),
        ({"q": closed.public_id}, closed, open_digest),
        ({"q": waiting.notification.public_id}, open_digest, closed),
    ):
        page = shown(Digest, **query)
        assert there.public_id in page and missing.public_id not in page, query
    assert "0 results" in shown(Digest, q="nobody", workflow=world.workflow.pk)
    assert elsewhere.public_id in shown(Run, workflow="nonsense")


@pytest.mark.parametrize("model", [Run, Digest, Notification])
def test_a_longer_list_costs_no_more_queries(model: type[Any], world: Walks, root: Client) -> None:
    def fill(start: int, count: int) -> None:
        for number in range(start, start + count):
            event = world.event(recipients=[f"r{number}"])
            world.ada = world.recipient(f"r{number}")
            world.run(event)
            world.digest(event)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert root.get(list_of(model)).status_code == 200
        return len(queries)

    fill(0, 3)
    root.get(list_of(model))  # content types and permissions are cached by the first look
    few = cost()
    fill(3, 25)
    assert cost() == few


def test_the_list_of_notifications_says_which_workflow_and_what_it_went_out_on(world: Walks, root: Client) -> None:
    event = world.event()
    for channel in ("in_app", "email"):
        world.delivery(State.SENT, recipient=world.ada, notification=event, channel=channel, step="x")
    text = root.get(list_of(Notification)).content.decode()
    assert "Comments" in text and "email, in_app" in text
    assert event.public_id in root.get(list_of(Notification), {"workflow": world.workflow.pk}).content.decode()
    page = root.get(page_of(event)).content.decode()
    assert page_of(world.workflow) in page and page_of(world.version) in page


def test_a_notifications_page_explains_every_decision_in_words_and_for_machines(world: Walks, root: Client) -> None:
    event = world.event()
    digest = world.digest(event)
    run = world.run(event, digest=digest)
    decision = {"level": "category", "waits_for": "quiet_hours", "until": "2027-03-01T07:00:00.000Z"}
    delivery = world.delivery(
        State.RETRYING, recipient=world.ada, notification=event, step="mail", decision=decision, attempts=("http_503",)
    )
    text = root.get(page_of(event)).content.decode()
    for said in (
        "It follows version 1 of the workflow",
        "Its condition, not steps.bell.seen, held.",
        "The preference &#x27;category&#x27; lets it through.",
        "was not to go before 2027-03-01 07:00:00 UTC: It came in the recipient&#x27;s quiet hours.",
        "It waits alone in the digest of step &#x27;collect&#x27; under the key &#x27;t1&#x27;",
        "Attempt 1 ended after 84 ms with http_503",
        "The same for machines",
    ):
        assert said in text, said
    for each in (delivery, run, digest):
        assert page_of(each) in text


def test_one_recipients_explanation_leaves_the_others_out(world: Walks, root: Client) -> None:
    bo = world.recipient("bo")
    event = world.notification(recipients=["ada", "bo"])
    mine = world.delivery(State.SENT, recipient=world.ada, notification=event)
    theirs = world.delivery(State.SENT, recipient=bo, notification=event)
    page = root.get(page_of(event), {"recipient": "bo"})
    told = [each["id"] for each in page.context["explained"]["data"]]
    assert told == [theirs.public_id] and mine.public_id not in told
    assert "Only for the recipient" in page.content.decode()


def test_a_person_leads_to_their_walks_digests_and_preferences(world: Walks, root: Client) -> None:
    text = root.get(page_of(world.ada)).content.decode()
    for model in (Delivery, Run, Digest):
        assert f"{list_of(model)}?recipient={world.ada.pk}" in text
        assert root.get(list_of(model), {"recipient": str(world.ada.pk)}).status_code == 200
    assert "nothing said" in text


@pytest.mark.parametrize("model", [Run, Digest])
def test_nobody_changes_or_deletes_them_here(model: type[Any], world: Walks, root: Client) -> None:
    event = world.event()
    row: Any = world.run(event) if model is Run else world.digest(event)
    before = model.objects.filter(pk=row.pk).values().get()
    assert root.post(page_of(row), {"state": "done"}).status_code == 403
    assert root.post(page_of(row).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    assert root.get(f"{list_of(model)}add/").status_code == 403
    assert model.objects.filter(pk=row.pk).values().get() == before


def test_an_erased_recipient_breaks_no_page(world: Walks, root: Client) -> None:
    event = world.event()
    digest = world.digest(event)
    run = world.run(event, digest=digest)
    Recipient.objects.filter(pk=world.ada.pk)._raw_delete("default")
    for url in (page_of(run), page_of(digest), page_of(event), list_of(Run), list_of(Digest)):
        assert root.get(url).status_code == 200, url
    assert "erased" in root.get(list_of(Run)).content.decode()


def test_what_this_release_cannot_read_breaks_no_page(world: Walks, root: Client) -> None:
    event = world.event()
    digest = world.digest(event)
    run = world.run(event, digest=digest)
    WorkflowVersion.objects.filter(pk=world.version.pk).update(
        definition={"name": "x", "steps": [{"type": "teleport"}]}
    )
    other = world.run(world.event(workflow_version_id=ids.new_uuid()), state="done")
    for url in (page_of(run), page_of(digest), page_of(event), page_of(other), list_of(Run), list_of(Notification)):
        assert root.get(url).status_code == 200, url


def test_who_may_only_look_sees_them(world: Walks) -> None:
    run = world.run(world.event())
    reader = staff("delivery.view_run", "schedules.view_digest")
    assert reader.get(page_of(run)).status_code == 200
    assert reader.get(list_of(Digest)).status_code == 200
    assert staff("delivery.view_delivery").get(list_of(Run)).status_code == 403

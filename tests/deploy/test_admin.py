"""The admin: every page opens, nothing that the machine writes can be edited, the buttons do what they say."""

import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from delivery.dkim_keys import create_dkim_key
from delivery.feedback.callbacks import create_source
from delivery.models import (
    Attempt,
    BounceMailbox,
    CallbackSource,
    Delivery,
    DeliveryEvent,
    DkimKey,
    EndpointTrouble,
    EventEndpoint,
    Heartbeat,
    LawCheck,
    Provider,
    Run,
    SendLimit,
    StatusDispatch,
    StatusEvent,
)
from delivery.states import State
from deploy.admin import base
from deploy.admin.audit import subjects
from deploy.admin.preference_words import described
from deploy.celery_app import app as celery
from notifications import api_keys, ids
from notifications.acting import acting_as
from notifications.addresses import hash_email
from notifications.database import connection_options
from notifications.events import SEND_TASK
from notifications.models import (
    ApiKey,
    AuditEntry,
    Endpoint,
    IdempotencyKey,
    Inbox,
    InboxEvent,
    InboxMessage,
    Notification,
    Project,
    ProjectSettings,
    Recipient,
    RecipientPreferences,
    Subscription,
    Suppression,
    Template,
    TemplateVersion,
    Topic,
    Workflow,
    WorkflowVersion,
)
from notifications.preferences.parsing import parse_preferences
from notifications.preferences.shapes import DAYS
from notifications.services.projects import create_api_key
from notifications.services.suppressions import forget_addresses, suppress_email
from tests.deploy.operator import World, staff, superuser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_names")]

QUEUE = f"{celery.conf.broker_transport_options['global_keyprefix']}{celery.conf.task_default_queue}"
OURS = [model for model in admin.site._registry if model._meta.app_label in ("notifications", "delivery", "auth")]
BEATS = [model for model in admin.site._registry if model._meta.app_label == "django_celery_beat"]
WRITTEN_BY_THE_MACHINE = [
    AuditEntry,
    Attempt,
    BounceMailbox,
    Delivery,
    DeliveryEvent,
    EndpointTrouble,
    EventEndpoint,
    Heartbeat,
    IdempotencyKey,
    Inbox,
    InboxEvent,
    InboxMessage,
    LawCheck,
    Notification,
    Run,
    StatusDispatch,
    StatusEvent,
    Workflow,
    WorkflowVersion,
]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def root(static_names: None) -> Client:
    return superuser()


def page_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_of(model: type[Any]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def one_of_each(world: World) -> list[Any]:
    """A row of every model of ours, joined up as the product joins them."""
    recipient = world.recipient(email="ada@example.com")
    endpoint = world.endpoint(recipient)
    delivery = world.delivery(
        State.FAILED, recipient=recipient, endpoint=endpoint, channel="webhook", attempts=("http_503", "gone")
    )
    topic = Topic.objects.create(project=world.project, key="team")
    inbox = Inbox.objects.create(recipient=recipient, epoch=ids.new_uuid(), offset=1, unread=1, unseen=1)
    message = InboxMessage.objects.create(
        project=world.project, recipient=recipient, delivery_id=delivery.pk, offset=1, title="Hello", body="there"
    )
    event = StatusEvent.objects.create(
        project=world.project, type="delivery.failed", recipient=recipient, data={"delivery_id": str(delivery.pk)}
    )
    workflow = Workflow.objects.create(project=world.project, key="greet")
    template = Template.objects.create(project=world.project, key="greet")
    definition = {"name": "Greeting", "steps": [{"key": "bell", "type": "in_app", "template": {"title": "Hello"}}]}
    told = EventEndpoint.objects.create(project=world.project, key="k", url="https://example.com/", sealed_secret="s")
    return [
        event,
        told,
        StatusDispatch.objects.create(event=event, endpoint=told, available_at=timezone.now()),
        world.project,
        create_api_key(project=world.project, name="key", scopes=["admin"])[0],
        recipient,
        endpoint,
        topic,
        workflow,
        template,
        template.versions.create(number=1, variants={"default": {"default": {"title": "x"}}}, references=[]),
        workflow.versions.create(number=1, definition=definition, state="draft"),
        Subscription.objects.create(topic=topic, recipient=recipient),
        delivery.notification,
        delivery,
        *delivery.attempts.all(),
        EndpointTrouble.objects.create(endpoint=endpoint, failures=12, trips=1),
        SendLimit.objects.create(project=world.project, channel="webhook", per_second=5),
        inbox,
        message,
        InboxEvent.objects.create(recipient=recipient, offset=1, kind="message.created", message=message),
        Provider.objects.create(name="relay", settings={"host": "mx.example", "port": 587, "security": "starttls"}),
        IdempotencyKey.objects.create(
            project=world.project, key="k", fingerprint="f", status=202, response='{"id": "ntf_1"}'
        ),
        RecipientPreferences.objects.create(
            project=world.project, recipient=recipient, settings={"categories": {"news": {"email": False}}}
        ),
        ProjectSettings.objects.create(project=world.project, preferences={"channels": {"sms": False}}),
        create_dkim_key(domain="mail.example", selector="s1", algorithm=DkimKey.Algorithm.ED25519),
        Heartbeat.objects.create(role="worker", host="h", pid=1, version="1"),
        LawCheck.objects.create(law="inbox_counts", broken=0, checked_at=timezone.now()),
        Run.objects.create(
            project=world.project,
            notification=delivery.notification,
            recipient=recipient,
            version_id=ids.new_uuid(),
            state=Run.State.DONE,
            reason="completed",
            finished_at=timezone.now(),
        ),
        suppress_email(
            project_id=world.project.pk, address="ada@example.com", reason="bounce", source_delivery_id=delivery.pk
        )[0],
        DeliveryEvent.objects.create(
            delivery=delivery, type="bounce", source="dsn", event_id="dsn:1", detail="gone", occurred_at=timezone.now()
        ),
        create_source(project_id=world.project.pk, name="relay")[0],
        BounceMailbox.objects.create(mailbox="bounces@imap.example.com/INBOX"),
        AuditEntry.objects.latest("id"),
    ]


def test_every_model_has_a_list_and_a_page_that_open(world: World, root: Client) -> None:
    rows = one_of_each(world)
    assert {type(row) for row in rows} == {m for m in OURS if m._meta.app_label in ("notifications", "delivery")}
    for row in rows:
        assert root.get(list_of(type(row))).status_code == 200, row
        assert root.get(page_of(row)).status_code == 200, row


@pytest.mark.parametrize("model", [*OURS, *BEATS], ids=lambda model: model._meta.label)
def test_every_empty_list_and_every_form_for_a_new_row_opens(model: type[Any], root: Client) -> None:
    assert root.get(list_of(model)).status_code == 200
    adding = root.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))
    refused = [*WRITTEN_BY_THE_MACHINE, CallbackSource, Endpoint, RecipientPreferences, TemplateVersion]
    assert adding.status_code == (403 if model in refused else 200)


def test_the_pages_need_a_login(client: Client) -> None:
    answer = client.get(list_of(Delivery))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("model", WRITTEN_BY_THE_MACHINE, ids=lambda model: model.__name__)
def test_what_the_machine_writes_cannot_be_changed_or_deleted(model: type[Any], world: World, root: Client) -> None:
    row = next(each for each in one_of_each(world) if type(each) is model)
    before = type(row).objects.filter(pk=row.pk).values().get()
    assert root.post(page_of(row), {"state": "sent", "number": 7}).status_code == 403
    assert root.post(page_of(row).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    root.post(list_of(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert type(row).objects.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize("model", [Delivery, Notification, Attempt, Recipient, Endpoint, InboxMessage])
def test_a_longer_list_costs_no_more_queries(model: type[Any], world: World, root: Client) -> None:
    def fill(start: int, count: int) -> None:
        for number in range(start, start + count):
            recipient = world.recipient(f"r{number}")
            delivery = world.delivery(
                State.SENT, recipient=recipient, endpoint=world.endpoint(recipient), attempts=("accepted",)
            )
            InboxMessage.objects.create(
                project=world.project, recipient=recipient, delivery_id=delivery.pk, offset=1, title="t", body="b"
            )

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert root.get(list_of(model)).status_code == 200
        return len(queries)

    fill(0, 3)
    root.get(list_of(model))  # content types and permissions are cached by the first look
    few = cost()
    fill(3, 25)
    assert cost() == few


def test_search_understands_public_ids_and_people(world: World, root: Client) -> None:
    wanted = world.delivery(
        State.FAILED, recipient=world.recipient("u-4711", email="Ada@example.com"), attempts=("http_503",)
    )
    other = world.delivery(State.SENT, recipient=world.recipient("u-4712", email="bob@example.com"))
    attempt = wanted.attempts.get()
    terms = [wanted.public_id, wanted.notification.public_id, attempt.public_id, "u-4711", "ada@example.com"]
    for term in [*terms, wanted.public_id.upper(), f" {wanted.pk} "]:
        shown = root.get(list_of(Delivery), {"q": term}).content.decode()
        assert wanted.public_id in shown, term
        assert other.public_id not in shown, term
    for term in (wanted.public_id, wanted.notification.public_id, "u-4711", "ada@example.com"):
        shown = root.get(list_of(Notification), {"q": term}).content.decode()
        assert wanted.notification.public_id in shown, term
        assert other.notification.public_id not in shown, term
    assert "0 results" in root.get(list_of(Delivery), {"q": "dlv_nonsense"}).content.decode()


def test_filters_find_what_is_stuck(world: World, root: Client) -> None:
    recipient = world.recipient()
    stuck = world.delivery(State.QUEUED, recipient=recipient, due=-timedelta(minutes=9))
    patient = world.delivery(State.RETRYING, recipient=recipient, due=timedelta(minutes=9))
    shown = root.get(list_of(Delivery), {"progress": "overdue"}).content.decode()
    assert stuck.public_id in shown
    assert patient.public_id not in shown
    shown = root.get(list_of(Delivery), {"state": "retrying", "channel": "email", "created": "15m"}).content.decode()
    assert patient.public_id in shown
    assert stuck.public_id not in shown


def test_a_list_that_takes_too_long_says_so(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "LIST_LIMIT", "200ms")
    url = reverse("admin:delivery_delivery_changelist")
    with psycopg.connect(**connection_options()) as other:
        other.execute("LOCK TABLE delivery_delivery IN ACCESS EXCLUSIVE MODE")
        answer = root.get(url, {"progress": "open"})
        assert (answer.status_code, answer["Location"]) == (302, url)
        bare = root.get(url)
        assert bare.status_code == 503
        assert "Narrow it down" in bare.content.decode()
    assert "Narrow it down" in root.get(url).content.decode()


def test_a_delivery_whose_recipient_was_erased_stays_visible(world: World, root: Client) -> None:
    recipient = world.recipient()
    delivery = world.delivery(State.SENT, recipient=recipient)
    Recipient.objects.filter(pk=recipient.pk)._raw_delete("default")
    assert delivery.public_id in root.get(list_of(Delivery)).content.decode()
    assert "erased" in root.get(page_of(delivery)).content.decode()
    assert "erased" in root.get(page_of(delivery.notification)).content.decode()


def test_pages_show_deliveries_with_their_attempts_and_answers(world: World, root: Client) -> None:
    delivery = world.delivery(State.FAILED, recipient=world.recipient(), attempts=("http_503", "gone"))
    for page in (page_of(delivery), page_of(delivery.notification)):
        text = root.get(page).content.decode()
        for expected in ("http_503", "gone", "answer 1", "answer 2", "84 ms", "failed"):
            assert expected in text, (page, expected)


def test_what_people_wrote_is_shown_escaped(world: World, root: Client) -> None:
    evil = "<script>alert(1)</script>"
    recipient = world.recipient(evil.replace("/", ""), name=evil)
    notification = world.notification(content={"title": evil, "body": evil}, data={"a": evil})
    delivery = world.delivery(State.FAILED, recipient=recipient, notification=notification, attempts=(evil,))
    for page in (
        page_of(notification),
        page_of(delivery),
        page_of(recipient),
        list_of(Notification),
        list_of(Delivery),
    ):
        assert "<script>alert(1)" not in root.get(page).content.decode(), page


def test_retry_from_the_list_moves_what_may_be_retried_and_says_what_it_left(world: World, root: Client) -> None:
    recipient = world.recipient()
    failed = world.delivery(State.FAILED, recipient=recipient, retry_step=4)
    sent = world.delivery(State.SENT, recipient=recipient)
    answer = root.post(
        list_of(Delivery), {"action": "retry", "_selected_action": [failed.pk, sent.pk]}, follow=True
    ).content.decode()
    assert "1 of 2 deliveries are on their way again" in answer
    assert "1 were left alone" in answer
    failed.refresh_from_db()
    sent.refresh_from_db()
    assert (failed.state, failed.retry_step, failed.finished_at) == (State.QUEUED, 0, None)
    assert sent.state == State.SENT
    assert LogEntry.objects.filter(object_id=str(failed.pk)).exists()


@pytest.mark.django_db(transaction=True)
def test_a_retry_rings_the_bell_once_it_is_committed(world: World, root: Client) -> None:
    failed = world.delivery(State.FAILED, recipient=world.recipient())
    with Redis.from_url(django_settings.REDIS_URLS[0]) as redis:
        redis.delete(QUEUE)
        root.post(list_of(Delivery), {"action": "retry", "_selected_action": [failed.pk]})
        deadline = time.monotonic() + 30
        while not redis.llen(QUEUE) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert any(SEND_TASK.encode() in message for message in redis.lrange(QUEUE, 0, -1))


def test_cancel_from_the_list_leaves_what_is_being_sent(world: World, root: Client) -> None:
    recipient = world.recipient()
    waiting = world.delivery(State.RETRYING, recipient=recipient)
    sending = world.delivery(State.SENDING, recipient=recipient)
    root.post(list_of(Delivery), {"action": "cancel", "_selected_action": [waiting.pk, sending.pk]})
    waiting.refresh_from_db()
    sending.refresh_from_db()
    assert (waiting.state, waiting.reason, waiting.available_at) == (State.CANCELLED, "cancelled_by_caller", None)
    assert sending.state == State.SENDING


def test_a_button_changes_nothing_by_get_nor_without_a_csrf_token(world: World, root: Client) -> None:
    delivery = world.delivery(State.FAILED, recipient=world.recipient())
    url = reverse("admin:delivery_delivery_retry_this", args=[delivery.pk])
    assert root.get(url).status_code == 200
    root.handler.enforce_csrf_checks = True
    assert root.post(url, {"_form_submitted": "1"}).status_code == 403
    delivery.refresh_from_db()
    assert delivery.state == State.FAILED
    root.handler.enforce_csrf_checks = False
    answer = root.post(url, {"_form_submitted": "1"}, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == page_of(delivery)
    delivery.refresh_from_db()
    assert delivery.state == State.QUEUED


def test_buttons_are_offered_only_where_they_would_do_something(world: World, root: Client) -> None:
    recipient = world.recipient()
    failed = world.delivery(State.FAILED, recipient=recipient)
    retrying = world.delivery(State.RETRYING, recipient=recipient)
    sent = world.delivery(State.SENT, recipient=recipient)
    offered = {
        row.pk: {
            name for name in ("retry_this", "cancel_this") if f"/{name}/" in root.get(page_of(row)).content.decode()
        }
        for row in (failed, retrying, sent)
    }
    assert offered == {failed.pk: {"retry_this"}, retrying.pk: {"cancel_this"}, sent.pk: set()}


def test_who_may_only_look_cannot_operate(world: World) -> None:
    delivery = world.delivery(State.FAILED, recipient=world.recipient())
    watcher = staff("delivery.view_delivery", "delivery.view_attempt")
    assert "/retry_this/" not in watcher.get(page_of(delivery)).content.decode()
    url = reverse("admin:delivery_delivery_retry_this", args=[delivery.pk])
    assert watcher.post(url, {"_form_submitted": "1"}).status_code == 403
    watcher.post(list_of(Delivery), {"action": "retry", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.state == State.FAILED


def test_a_notification_is_cancelled_and_retried_from_its_page(world: World, root: Client) -> None:
    notification = world.notification()
    waiting = world.delivery(State.RETRYING, recipient=world.recipient(), notification=notification)
    root.post(reverse("admin:notifications_notification_cancel_this", args=[notification.pk]), {"_form_submitted": "1"})
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED
    root.post(reverse("admin:notifications_notification_retry_this", args=[notification.pk]), {"_form_submitted": "1"})
    waiting.refresh_from_db()
    assert waiting.state == State.QUEUED


def test_cancelling_what_has_gone_out_is_answered_with_the_reason(world: World, root: Client) -> None:
    delivery = world.delivery(State.SENT, recipient=world.recipient())
    url = reverse("admin:notifications_notification_cancel_this", args=[delivery.notification_id])
    assert "already gone out" in root.post(url, {"_form_submitted": "1"}, follow=True).content.decode()


def test_a_new_api_key_is_shown_once_and_kept_as_a_hash(world: World, root: Client) -> None:
    fields = {"project": world.project.pk, "name": "CI", "scopes": ["notifications:write", "notifications:read"]}
    answer = root.post(reverse("admin:notifications_apikey_add"), fields)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    key = answer.context["api_key"].fresh_key
    assert key in answer.content.decode()
    row = ApiKey.objects.get(name="CI")
    assert api_keys.matches(key, row.digest)
    assert row.public_id == api_keys.public_id_of(key)
    assert row.scopes == fields["scopes"]
    assert "messages" not in answer.cookies
    for url in (page_of(row), list_of(ApiKey)):
        assert key not in root.get(url).content.decode()


def test_revoking_a_key_ends_it(world: World, root: Client) -> None:
    row, _ = create_api_key(project=world.project, name="CI", scopes=["admin"])
    root.post(reverse("admin:notifications_apikey_revoke_this", args=[row.pk]), {"_form_submitted": "1"})
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert "revoked" in root.get(page_of(row)).content.decode()
    told = AuditEntry.objects.filter(subject_id=str(row.pk)).order_by("id").values_list("actor", "action", "changed")
    name = get_user_model().objects.get(pk=root.session["_auth_user_id"]).username
    assert told[1] == (f"user {name}", "update", ["revoked_at"])


def test_the_audit_log_names_keys_and_leads_to_what_was_changed(world: World, root: Client) -> None:
    key, _ = create_api_key(project=world.project, name="CI of the shop", scopes=["admin"])
    with acting_as(ids.encode("key", key.pk)):
        Project.objects.filter(pk=world.project.pk).update(name="Renamed")
    entry = AuditEntry.objects.latest("id")
    for url in (list_of(AuditEntry), page_of(entry)):
        text = root.get(url).content.decode()
        assert "API key CI of the shop" in text
        assert page_of(world.project) in text
    told = root.get(list_of(AuditEntry), {"subject": "notifications_project"}).content.decode()
    assert page_of(world.project) in told and page_of(key) + '">API key</a>' not in told
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'carillon_audit'::regproc"
        )
        assert set(subjects()) == {row[0] for row in cursor.fetchall()}


def test_json_is_laid_out_to_be_read_and_edited(world: World, root: Client) -> None:
    recipient = world.recipient(data={"plan": "pro", "seats": [1, 2]})
    shown = root.get(page_of(recipient)).context["adminform"].form["data"].value()
    assert shown == '{\n  "plan": "pro",\n  "seats": [\n    1,\n    2\n  ]\n}'
    wrong = root.post(page_of(recipient), {"data": "{not json"})
    assert wrong.context["adminform"].form["data"].value() == "{not json"


def test_quiet_hours_of_the_same_days_are_said_once() -> None:
    hours = [{"from": "22:00", "until": "07:00"}]
    week = dict.fromkeys(DAYS, hours)
    assert described(parse_preferences({"quiet_hours": {"weekly": week}})) == [
        "Quiet hours (defer): every day 22:00–07:00"
    ]
    weekend = dict.fromkeys(("saturday", "sunday"), hours)
    assert described(parse_preferences({"quiet_hours": {"weekly": weekend}})) == [
        "Quiet hours (defer): sat, sun 22:00–07:00"
    ]


def test_a_recipient_cannot_be_given_what_the_api_would_refuse(world: World, root: Client) -> None:
    recipient = world.recipient(email="ada@example.com")
    fields = {
        "name": "Ada",
        "email": "not an address",
        "phone": "",
        "locale": "",
        "timezone": "Mars/Olympus",
        "data": "{}",
        "endpoints-TOTAL_FORMS": "0",
        "endpoints-INITIAL_FORMS": "0",
    }
    answer = root.post(page_of(recipient), fields)
    assert answer.status_code == 200
    assert {"email", "timezone"} <= set(answer.context["adminform"].form.errors)
    root.post(page_of(recipient), {**fields, "email": "ada@EXAMPLE.org", "timezone": "Europe/Vienna"})
    recipient.refresh_from_db()
    assert (recipient.email, recipient.timezone) == ("ada@example.org", "Europe/Vienna")


def test_the_dashboard_says_that_nothing_is_stuck(root: Client) -> None:
    Project.objects.all().delete()
    for role in ("worker", "beat"):
        Heartbeat.objects.create(role=role, host="h", pid=1, version="1")
    assert root.get(reverse("admin:index")).context["verdict"]["text"] == "Nothing is stuck"


def test_the_dashboard_says_who_is_missing_who_fell_silent_and_which_law_is_broken(root: Client) -> None:
    minutes_ago = timezone.now() - timedelta(minutes=2)
    for role, seen in (("worker", minutes_ago), ("beat", minutes_ago), ("beat", timezone.now())):
        Heartbeat.objects.create(role=role, host="h", pid=1, version="1", last_seen_at=seen)
    LawCheck.objects.create(law="inbox_counts", broken=3, examples=["1"], checked_at=timezone.now())
    verdict = root.get(reverse("admin:index")).context["verdict"]
    assert verdict["kind"] == "danger"
    assert [remark.text for remark in verdict["remarks"]] == [
        "Laws are broken: inbox_counts.",
        "No worker seen for 120 s.",
        "1 process fell silent without saying goodbye.",
    ]
    for remark in verdict["remarks"]:
        assert root.get(remark.url).status_code == 200


def test_the_dashboard_says_what_is_stuck_and_why_things_fail(world: World, root: Client) -> None:
    recipient = world.recipient()
    world.delivery(State.QUEUED, recipient=recipient, due=-timedelta(minutes=9))
    failed = world.delivery(State.FAILED, recipient=recipient, attempts=("mailbox_unavailable",))
    Delivery.objects.filter(pk=failed.pk).update(reason="mailbox_unavailable")
    answer = root.get(reverse("admin:index"))
    assert answer.context["verdict"]["kind"] == "danger"
    texts = [remark.text for remark in answer.context["verdict"]["remarks"]]
    assert texts[0] == "1 delivery should have been sent over a minute ago."
    shown = answer.content.decode()
    assert "mailbox_unavailable" in shown
    assert "9 min" in shown
    for remark in answer.context["verdict"]["remarks"]:
        assert root.get(remark.url).status_code == 200


def test_an_address_is_suppressed_and_found_by_any_spelling(world: World, root: Client) -> None:
    adding = reverse("admin:notifications_suppression_add")
    form = {"project": world.project.pk, "address": "Ada@EXAMPLE.com", "reason": "manual", "detail": "asked by phone"}
    assert root.post(adding, form).status_code == 302
    row = Suppression.objects.get(project=world.project)
    assert (row.address, bytes(row.address_hash)) == ("ada@example.com", hash_email("ada@example.com"))
    assert "is on the list" in root.post(adding, form).content.decode()
    Suppression.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(days=1))
    assert root.post(adding, form).status_code == 302
    assert Suppression.objects.get(project=world.project).expires_at is None
    forget_addresses(project_id=world.project.pk, emails=["ada@example.com"])
    found = root.get(list_of(Suppression), {"q": "ADA@example.com"}).content.decode()
    assert "erased" in found
    assert str(row.pk) in found
    assert root.post(page_of(row).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 302
    assert not Suppression.objects.filter(project=world.project).exists()


def test_what_came_back_stands_on_the_deliverys_page(world: World, root: Client) -> None:
    delivery = next(each for each in one_of_each(world) if isinstance(each, Delivery))
    page = root.get(page_of(delivery)).content.decode()
    assert "What came back" in page
    assert "gone" in page

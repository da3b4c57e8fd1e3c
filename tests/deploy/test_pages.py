"""The start page, the demo and the caught mail: who may open them, what they do, and that they trust no mail."""

import json
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client
from django.urls import reverse

from delivery.states import State
from deploy.examples.loading import read_examples
from deploy.mailcatcher import Maildir
from deploy.pages import mailbox
from deploy.pages.access import is_local
from deploy.pages.scenes import SCENES, publish_scene, request_of, scene_of
from deploy.version import version
from notifications.executor import in_thread
from notifications.inbox.process import stop_inbox
from notifications.intake.process import stop_intake
from notifications.models import Notification, Recipient, Workflow
from notifications.services.projects import create_api_key
from notifications.tokens import read_token
from notifications.workflows.data_schema import DataSchema
from tests.deploy.operator import World, staff, superuser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_names", "catching")]

HERE = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000"}
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.7", "HTTP_HOST": "carillon.example.com"}
GUARDED = [
    "/demo",
    "/demo/mail",
    "/demo/stories/ntf_1",
    "/dev/mail",
    "/dev/mail/1.x",
    "/dev/mail/1.x/html",
    "/dev/mail/1.x/source",
]


@pytest.fixture
def catching(settings: Any, tmp_path: Path) -> Maildir:
    """An installation that catches its mail, at a local address."""
    settings.CARILLON_MAIL_DIR = str(tmp_path / "mail")
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    return Maildir(tmp_path / "mail")


@pytest.fixture
def here() -> Client:
    """A browser on the machine that Carillon runs on."""
    return Client(**HERE)


@pytest.fixture
def world() -> World:
    return World()


def a_mail(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in {"Subject": "Grüße", "From": "a@example.com", "To": "u1@example.com", **headers}.items():
        mail[name] = value
    mail.set_content("Plain words")
    mail.add_alternative("<h1>Big words</h1><script>alert(1)</script>", subtype="html")
    return mail


def stored(maildir: Maildir, content: bytes) -> str:
    return maildir.add(content).name


@pytest.mark.parametrize(
    ("change", "public_url", "expected"),
    [
        ({}, "http://127.0.0.1:8000", True),
        ({"HTTP_HOST": "localhost"}, "http://localhost:8000", True),
        ({"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:8000"}, "http://[::1]:8000", True),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, "http://127.0.0.1:8000", True),
        ({}, "http://0.0.0.0:8000", True),
        ({"REMOTE_ADDR": "10.0.0.4"}, "http://127.0.0.1:8000", False),
        ({"REMOTE_ADDR": "::ffff:10.0.0.4"}, "http://127.0.0.1:8000", False),
        ({"REMOTE_ADDR": ""}, "http://127.0.0.1:8000", False),
        ({"HTTP_HOST": "rebound.example.com"}, "http://127.0.0.1:8000", False),
        ({"HTTP_HOST": "127.0.0.1.example.com"}, "http://127.0.0.1:8000", False),
        ({"HTTP_HOST": ""}, "http://127.0.0.1:8000", False),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, "http://127.0.0.1:8000", False),
        ({"HTTP_FORWARDED": "for=203.0.113.7"}, "http://127.0.0.1:8000", False),
        ({"HTTP_VIA": "1.1 proxy"}, "http://127.0.0.1:8000", False),
        ({}, "https://carillon.example.com", False),
    ],
)
def test_only_a_browser_on_this_machine_is_local(change: dict[str, str], public_url: str, expected: bool) -> None:
    assert is_local({**HERE, **change}, public_url=public_url) is expected


@pytest.mark.parametrize("path", GUARDED)
def test_strangers_and_staff_without_the_right_are_refused(path: str) -> None:
    assert Client(**ELSEWHERE).get(path).status_code == 403
    assert staff("delivery.view_delivery").get(path, headers=_headers(ELSEWHERE)).status_code == 403
    assert superuser().get(path, headers=_headers(ELSEWHERE), REMOTE_ADDR="203.0.113.7").status_code in (200, 404)


@pytest.mark.parametrize("path", [*GUARDED, "/demo/notifications/ntf_1"])
def test_where_mail_is_sent_for_real_nobody_finds_these_pages(path: str, settings: Any, here: Client) -> None:
    settings.CARILLON_MAIL_DIR = ""
    answer = here.get(path)
    assert answer.status_code == 404
    assert superuser().get(path).status_code == 404
    assert here.get(path, headers={"Accept": "application/json"}).json()["status"] == 404


def test_what_changes_something_needs_a_post_with_a_csrf_token(world: World) -> None:
    browser = Client(enforce_csrf_checks=True, **HERE)
    scene, acknowledge = reverse("demo-scene", args=["comment"]), reverse("demo-acknowledge", args=["ntf_1"])
    for path in (reverse("demo-token"), reverse("demo-send"), scene, acknowledge):
        assert browser.get(path).status_code == 405
        assert browser.post(path, "{}", content_type="application/json").status_code == 403
    browser.get("/demo")
    answer = browser.post(
        reverse("demo-token"),
        json.dumps({"recipient": "u1"}),
        content_type="application/json",
        headers={"X-CSRFToken": browser.cookies["csrftoken"].value},
    )
    assert answer.status_code == 201


def test_the_start_page_leads_everywhere_and_says_the_version(client: Client) -> None:
    text = client.get("/").content.decode()
    assert f"Carillon {version()}" in text
    for path in ("/demo", "/dev/mail", "/admin/", "/v1/docs"):
        assert f'href="{path}"' in text


def test_pages_allow_only_their_own_scripts_and_hold_no_key(world: World, here: Client) -> None:
    row, key = create_api_key(project=world.project, name="k", scopes=["admin"])
    answer = here.get("/demo")
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    text = answer.content.decode()
    assert key not in text
    assert row.public_id not in text
    assert "<script>" not in text
    assert "no-cache" in answer["Cache-Control"]


def test_a_token_opens_the_inbox_of_exactly_that_recipient(world: World, here: Client) -> None:
    answer = _post(here, "demo-token", {"recipient": "u77"})
    token = read_token(answer.json()["token"])
    recipient = Recipient.objects.get(external_id="u77")
    assert (token.recipient_pk, token.external_id, token.project_id) == (recipient.pk, "u77", recipient.project_id)


@pytest.mark.parametrize(
    "body", ["[]", "nonsense", "", '{"recipient": ""}', '{"recipient": "a/b"}', '{"recipient": "\\ud800"}']
)
def test_a_token_for_nonsense_is_refused(body: str, world: World, here: Client) -> None:
    answer = here.post(reverse("demo-token"), body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert not Recipient.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_what_the_form_sends_is_committed_like_any_other_notification() -> None:
    world = await in_thread(World)
    client = await in_thread(_browser_of_an_operator)
    body = {
        "recipients": [{"id": "u1", "email": "u1@example.com"}],
        "content": {"title": "Hi", "body": "there"},
        "channels": ["in_app"],
    }
    wrong = {**body, "recipients": [{"id": "u1", "email": "nobody"}]}
    try:
        sent = await client.post(reverse("demo-send"), json.dumps(body), content_type="application/json")
        refused = await client.post(reverse("demo-send"), json.dumps(wrong), content_type="application/json")
    finally:
        await stop_intake()
        # Sessions are read on the one thread that Django gives all of its synchronous calls here.
        await sync_to_async(connections.close_all)()
    assert sent.status_code == 202, sent.content
    row = await in_thread(Notification.objects.get)
    assert row.public_id == sent.json()["id"]
    assert (row.project_id, row.status, row.recipients) == (world.project.pk, "accepted", ["u1"])
    assert (await in_thread(Recipient.objects.get, external_id="u1")).email == "u1@example.com"
    assert refused.status_code == 422
    assert refused.json()["pointer"] == "/recipients/0/email"


def test_deliveries_of_a_notification_are_told_with_their_attempts(world: World, here: Client) -> None:
    delivery = world.delivery(State.RETRYING, recipient=world.recipient(), attempts=("http_503",))
    answer = here.get(reverse("demo-deliveries", args=[delivery.notification.public_id])).json()
    assert answer["status"] == "routed"
    [told] = answer["data"]
    assert (told["id"], told["state"], told["channel"]) == (delivery.public_id, "retrying", "email")
    assert told["attempts"] == [{"number": 1, "outcome": "http_503", "duration_ms": 84}]
    assert here.get(reverse("demo-deliveries", args=["ntf_nonsense"])).status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_a_scene_is_planned_played_told_and_acknowledged() -> None:
    world = await in_thread(World)
    client = await in_thread(_browser_of_an_operator)
    url = reverse("demo-scene", args=["incident"])
    who = {"id": "u1", "email": "u1@example.com", "locale": "en"}
    asked = partial(client.post, content_type="application/json")
    try:
        planned = await asked(url, json.dumps({"recipient": who, "plan": True}))
        assert planned.status_code == 200, planned.content
        assert "Step 'mail' would go to u1 over email at once." in [line["says"] for line in planned.json()["lines"]]
        assert not await in_thread(Notification.objects.exists)
        played = await asked(url, json.dumps({"recipient": who}))
        assert played.status_code == 202, played.content
        public_id = played.json()["id"]
        story = (await client.get(reverse("demo-story", args=[public_id]))).json()
        assert [step["key"] for step in story["steps"]] == ["bell", "is-serious", "mail", "climb"]
        assert story["done"] is False and "without an API key" in story["lines"][0]["says"]
        taken = await asked(reverse("demo-acknowledge", args=[public_id]), json.dumps({"recipient": "u1"}))
        assert taken.status_code == 200, taken.content
        refused = await asked(url, json.dumps({"recipient": {"id": "u1", "email": "nobody"}}))
        assert (refused.status_code, refused.json()["pointer"]) == (422, "/recipients/0/email")
        assert (await asked(reverse("demo-scene", args=["nonsense"]), "{}")).status_code == 404
        assert (await client.get(reverse("demo-story", args=["ntf_nonsense"]))).status_code == 404
    finally:
        await stop_intake()
        await stop_inbox()
        # Sessions are read on the one thread that Django gives all of its synchronous calls here.
        await sync_to_async(connections.close_all)()
    row = await in_thread(Notification.objects.get)
    assert (row.project_id, row.workflow, row.acknowledged_by) == (world.project.pk, "incident-quick", "u1")


def test_every_example_has_a_scene_and_its_request_fits_its_workflow(world: World) -> None:
    assert [scene.key for scene in SCENES if scene_of(scene.key)] and {s.key for s in SCENES} == {
        example.key for example in read_examples()
    }
    for scene in SCENES:
        key = publish_scene(scene, project_id=world.project.pk)
        assert publish_scene(scene, project_id=world.project.pk) == key  # again is nothing new
        workflow = Workflow.objects.get(project=world.project, key=key)
        version = workflow.published_version
        assert version is not None and version.number == 1
        schema = DataSchema(version.definition["schema"])
        assert schema.check(request_of(scene, key, {"id": "u1"})["data"]) == []
    assert not Workflow.objects.filter(key__in=["comment", "incident"]).exists()


def test_mail_is_listed_newest_first_and_told_to_the_demo_by_address(catching: Maildir, here: Client) -> None:
    for number, to in enumerate(["u1@example.com", "u2@example.com", "u1@example.com"]):
        head = f"Return-Path: <carillon@localhost>\r\nDelivered-To: {to}\r\n".encode()
        stored(catching, head + a_mail(Subject=f"Mail {number}").as_bytes())
    text = here.get("/dev/mail").content.decode()
    assert text.index("Mail 2") < text.index("Mail 1") < text.index("Mail 0")
    told = here.get("/demo/mail", {"to": "U1@example.com"}).json()["data"]
    assert [mail["subject"] for mail in told] == ["Mail 2", "Mail 0"]
    assert here.get(told[0]["url"]).status_code == 200


def test_a_mail_is_shown_in_all_its_parts(catching: Maildir, here: Client) -> None:
    name = stored(catching, a_mail().as_bytes())
    text = here.get(f"/dev/mail/{name}").content.decode()
    for part in (
        "Grüße",
        "Plain words",
        "u1@example.com",
        "Content-Type: multipart/alternative",
        f"/dev/mail/{name}/html",
    ):
        assert part in text
    raw = here.get(f"/dev/mail/{name}/source")
    assert raw.content == a_mail().as_bytes() or b"Plain words" in raw.content
    assert "attachment" in raw["Content-Disposition"]


def test_the_html_part_runs_nothing_and_fetches_nothing(catching: Maildir, here: Client) -> None:
    name = stored(catching, a_mail().as_bytes())
    answer = here.get(f"/dev/mail/{name}/html")
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    page = here.get(f"/dev/mail/{name}").content.decode()
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "name", ["..", "../secret_key", "%2e%2e%2fsecret_key", "..%2fsecret_key", ".hidden", "new", "a\x00b"]
)
def test_nothing_outside_the_maildir_can_be_read(name: str, catching: Maildir, here: Client, tmp_path: Path) -> None:
    (tmp_path / "mail" / "secret_key").write_text("the secret")
    (tmp_path / "mail" / "new" / ".hidden").write_text("the secret")
    for part in ("", "/html", "/source"):
        answer = here.get(f"/dev/mail/{name}{part}")
        assert answer.status_code in (400, 404)
        assert b"the secret" not in answer.content
    assert mailbox.read_raw(tmp_path / "mail", name) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n\r\n",
        b"no headers at all",
        b"Subject: \xff\xfe\r\n\r\n\xff\xfe",
        b"Subject: =?utf-8?b?!!!!?=\r\nFrom: =?x-unknown?q?a?= <<>@,;:\r\nTo: \r\n\r\nbody",
        b'Subject: a\r\nFrom: "\r\nTo: group:;\r\nDate: never\r\nMessage-ID: <\r\n\r\nbody',
        b"Content-Type: text/plain; charset=klingon\r\n\r\nnuqneH",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-9\r\n\r\n<p>x</p>",
        b"Content-Type: ;;;;\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%%",
        b"Subject: <script>alert(1)</script>\r\nX-A: <img src=x onerror=alert(1)>\r\n\r\n<script>alert(1)</script>",
    ],
)
def test_no_mail_however_broken_breaks_a_page(content: bytes, catching: Maildir, here: Client) -> None:
    name = stored(catching, content)
    for path in ("/dev/mail", f"/dev/mail/{name}", f"/dev/mail/{name}/source"):
        answer = here.get(path)
        assert answer.status_code == 200
        if not path.endswith("source"):
            assert b"<script>alert" not in answer.content
            assert b"<img src=x" not in answer.content
    assert here.get(f"/dev/mail/{name}/html").status_code in (200, 404)
    assert here.get("/demo/mail").status_code == 200


def _post(client: Client, name: str, body: dict[str, Any]) -> Any:
    return client.post(reverse(name), json.dumps(body), content_type="application/json")


def _headers(meta: dict[str, str]) -> dict[str, str]:
    return {"Host": meta["HTTP_HOST"]}


def _browser_of_an_operator() -> AsyncClient:
    client = AsyncClient()
    client.cookies = superuser().cookies
    return client

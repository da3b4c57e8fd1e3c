"""The newcomer's first minutes in a real browser against the whole platform: press, write, see it arrive, read the mail."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def fits(page: Page) -> bool:
    """Whether nothing sticks out sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def become(page: Page, recipient: str) -> None:
    page.get_by_role("textbox", name="Recipient").fill(recipient)
    page.get_by_role("textbox", name="Email").fill(f"{recipient}@example.com")
    page.get_by_role("textbox", name="Email").press("Tab")


def send(page: Page, recipient: str, title: str) -> None:
    become(page, recipient)
    if not page.get_by_role("textbox", name="Title").is_visible():
        page.get_by_text("Write your own").click()
    page.get_by_role("textbox", name="Title").fill(title)
    page.get_by_role("button", name="Send notification").click()


def test_a_newcomer_sends_and_watches_it_arrive(page: Page) -> None:
    recipient, title = f"new-{uuid4().hex[:8]}", f"Hello {uuid4().hex[:8]}"
    page.goto("/")
    page.get_by_role("link", name="Demo", exact=False).first.click()
    send(page, recipient, title)
    expect(page.locator("#inbox").get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("#bell .bell")).to_have_accessible_name("Notifications, 1 unread")
    expect(page.locator("#deliveries .state")).to_have_text([re.compile("sent|delivered")] * 2)
    assert fits(page)
    page.locator("#mails").get_by_text(title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.frame_locator("iframe").get_by_text("2 × tea")).to_be_visible()
    assert fits(page)


def test_the_live_inbox_resumes_after_the_connection_was_lost(page: Page, platform: Platform) -> None:
    recipient, first, second = f"back-{uuid4().hex[:8]}", f"First {uuid4().hex[:8]}", f"Second {uuid4().hex[:8]}"
    # The socket is routed so that the test can cut it, as a lost network would; nothing in it is changed.
    cuts = []

    def relay(socket: object) -> None:
        socket.connect_to_server()  # type: ignore[attr-defined]
        cuts.append(socket)

    page.route_web_socket(re.compile("/ws/inbox"), relay)
    page.goto("/demo")
    send(page, recipient, first)
    expect(page.locator("#inbox").get_by_role("heading", name=first)).to_be_visible()
    cuts[-1].close(code=4008)
    body = {"recipients": [recipient], "channels": ["in_app"], "content": {"title": second}}
    assert platform.http.post("/v1/notifications", json=body).status_code == 202
    expect(page.locator("#inbox").get_by_role("heading", name=second)).to_have_count(1)
    expect(page.locator("#inbox").get_by_role("heading", name=first)).to_have_count(1)
    expect(page.locator("#socket")).to_have_text("live, resumed without a gap")


def test_a_message_is_marked_read_in_the_page(page: Page) -> None:
    recipient, title = f"read-{uuid4().hex[:8]}", f"Read me {uuid4().hex[:8]}"
    page.goto("/demo")
    send(page, recipient, title)
    message = page.locator("#inbox").get_by_role("article", name=title)
    message.get_by_role("button", name="Mark as read").click()
    expect(message.get_by_role("button", name="Mark as unread")).to_be_visible()
    expect(page.locator("#bell .bell")).to_have_accessible_name("Notifications")


def test_an_operator_finds_the_delivery_and_its_attempt(page: Page, platform: Platform) -> None:
    recipient, title = f"ops-{uuid4().hex[:8]}", f"Seen by ops {uuid4().hex[:8]}"
    page.goto("/demo")
    send(page, recipient, title)
    expect(page.locator("#deliveries .state")).to_have_text([re.compile("sent|delivered")] * 2)
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(platform.admin_password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1, name="Is anything stuck?")).to_be_visible()
    assert fits(page)
    page.goto(f"/admin/notifications/notification/?q={recipient}")
    assert fits(page)
    page.get_by_role("link", name=title).click()
    expect(page.locator(".crl-deliveries tbody tr")).to_have_count(2)
    expect(page.get_by_text("stored_in_inbox").first).to_be_visible()
    assert fits(page)
    page.locator(".crl-deliveries").get_by_role("link", name="Open").first.click()
    expect(page.locator(".crl-timeline li")).to_have_count(1)
    assert fits(page)


def test_an_order_ships_in_the_recipients_language_and_is_explained(page: Page) -> None:
    page.goto("/demo")
    become(page, f"order-{uuid4().hex[:8]}")
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Ship an order").click()
    expect(page.locator("#inbox").get_by_role("heading", name="ist unterwegs")).to_be_visible()
    expect(page.locator("#mails b")).to_have_text(re.compile(r"Bestellung \d+ ist unterwegs"))
    expect(page.locator("#story-steps [data-stand=done] b")).to_have_text(["bell", "mail"])
    for said in ("It follows version 1 of the workflow 'order-shipped'.", "Email of step 'mail' goes out"):
        expect(page.locator("#story-lines")).to_contain_text(said)
    page.get_by_text("The same as a command").first.click()
    expect(page.locator("#story-curl")).to_contain_text('"workflow": "order-shipped"')
    assert fits(page)


def test_comments_are_collected_while_nobody_looks_and_go_out_together(page: Page) -> None:
    page.goto("/demo")
    become(page, f"comment-{uuid4().hex[:8]}")
    for count in (1, 2):
        page.get_by_role("button", name="Write a comment").click()
        expect(page.locator("#story-count")).to_have_text(f"{count} collected")
    expect(page.locator("#story-closes")).to_have_text(re.compile(r"goes out in \d+ s|goes out now"))
    expect(page.locator("#story-steps [data-stand=here] b")).to_have_text(["collect"])
    expect(page.get_by_text("The inbox is put away")).to_be_visible()
    expect(page.locator("#mails b")).to_have_text(re.compile("2 new comments by"))
    expect(page.locator("#story-lines")).to_contain_text("Step 'collect' closed with 2 items.")
    expect(page.locator("#story-digest")).to_be_hidden()
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#inbox").get_by_role("heading", name="commented")).to_have_count(2)
    assert fits(page)


def test_the_sixth_code_is_not_let_through(page: Page) -> None:
    page.goto("/demo")
    become(page, f"code-{uuid4().hex[:8]}")
    for count in range(1, 6):
        page.get_by_role("button", name="Send me a code").click()
        expect(page.locator("#mails li")).to_have_count(count)
    page.get_by_role("button", name="Send me a code").click()
    expect(page.locator("#story-lines")).to_contain_text("let 5 through already and drops the rest")
    expect(page.locator("#story-steps [data-stand=bad] b")).to_have_text("not-too-many")


def test_an_incident_calls_on_until_somebody_takes_care(page: Page) -> None:
    page.goto("/demo")
    recipient = f"incident-{uuid4().hex[:8]}"
    become(page, recipient)
    page.get_by_role("button", name="Payments fail!").click()
    expect(page.locator("#inbox").get_by_role("heading", name="Payments fail")).to_be_visible()
    expect(page.locator("#story-lines")).to_contain_text("Step 'climb' called on-call, round 1.")
    page.locator("#mails").get_by_text("Incident: Payments fail").click()
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="I am on it").click()
    opened.value.get_by_role("button", name="I take care of it").click()
    expect(opened.value.get_by_role("heading", name="You take care of it")).to_be_visible()
    page.go_back()
    become(page, recipient)
    # Acknowledged is read: the bell has nothing left to say.
    expect(page.locator("#bell .bell")).to_have_accessible_name("Notifications")


def test_what_would_happen_is_told_and_nothing_of_it_happens(page: Page) -> None:
    page.goto("/demo")
    become(page, f"plan-{uuid4().hex[:8]}")
    page.get_by_role("button", name="What would happen: Weekly report").click()
    expect(page.locator("#story-of")).to_contain_text("Nothing has been sent.")
    expect(page.locator("#story-lines")).to_contain_text("It waits alone in the digest of step 'until-monday'")
    page.get_by_role("button", name="What would happen: Order shipped").click()
    expect(page.locator("#story-lines")).to_contain_text("Step 'mail' would go to")
    expect(page.locator("#mails li")).to_have_count(0)

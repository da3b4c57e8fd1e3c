"""The newcomer's first minutes in a real browser against the whole platform: send, see it arrive, read the mail."""

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


def send(page: Page, recipient: str, title: str) -> None:
    page.get_by_role("textbox", name="Recipient").fill(recipient)
    page.get_by_role("textbox", name="Email").fill(f"{recipient}@example.com")
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

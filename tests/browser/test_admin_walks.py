"""From a notification to its explanation, its digest and its walk in a real browser, at desktop and phone width."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_demo import fits
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

DIGEST = {
    "name": "Replies",
    "category": "collaboration",
    "steps": [
        {"key": "bell", "type": "in_app", "template": {"title": "{{ data.text }}", "body": ""}},
        {"key": "collect", "type": "digest", "digest_key": "{{ data.thread }}", "window": {"for": "PT30M"}},
        {
            "key": "mail",
            "type": "email",
            "if": {"!": {"var": "steps.bell.seen"}},
            "template": {
                "subject": "{{ total_items }} replies",
                "body": "{% for item in items %}- {{ item.data.text }}\n{% endfor %}",
            },
        },
    ],
}


def test_an_operator_follows_a_notification_into_its_digest_and_walk(page: Page, platform: Platform) -> None:
    recipient = f"walks-{uuid4().hex[:8]}"
    platform.http.put("/v1/workflows/replies", json=DIGEST).raise_for_status()
    for text in ("one", "two"):
        body = {
            "workflow": "replies",
            "recipients": [{"id": recipient, "email": f"{recipient}@example.com"}],
            "data": {"text": text, "thread": "a-rather-long-key-of-a-thread-that-has-to-wrap-somewhere"},
        }
        platform.http.post("/v1/notifications", json=body).raise_for_status()
    page.goto(f"/admin/login/?next=/admin/schedules/digest/%3Fq%3D{recipient}")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(platform.admin_password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("open", exact=True).first).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name=re.compile("^dig_")).click()
    expect(page.get_by_text("2 replies")).to_be_visible()
    expect(page.get_by_text("if not steps.bell.seen")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name=re.compile("^run_")).click()
    expect(page.locator("[aria-current=step]")).to_have_text("collect")
    assert fits(page)
    page.get_by_role("link", name=re.compile("^ntf_")).first.click()
    page.get_by_role("link", name="Why?").click()
    explained = page.locator("#explained")
    expect(explained.locator("p", has_text="It waits with 1 other in the digest of step 'collect'")).to_be_visible()
    expect(explained.locator("p", has_text="It follows version 1 of the workflow 'replies'.")).to_be_visible()
    explained.get_by_text("The same for machines").click()
    expect(explained.locator(".crl-json").last).to_contain_text('"digests"')
    assert fits(page)
    page.goto(f"/admin/notifications/notification/?q={recipient}")
    expect(page.get_by_role("link", name="Replies").first).to_be_visible()
    assert fits(page)

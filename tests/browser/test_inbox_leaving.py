"""Messages that are deleted, expire or are acknowledged, in step on every device."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, NewContext
from tests.browser.inbox_leaving import send
from tests.browser.inbox_pages import Wire, badge, bell, new_recipient, open_demo, panel, send_messages, titles
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def test_deleted_here_is_gone_there(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    here, there = new_context().new_page(), new_context().new_page()
    send_messages(platform, recipient, "One", "Two", "Three")
    for page in (here, there):
        open_demo(page, recipient)
        expect(titles(panel(page))).to_have_text(["Three", "Two", "One"])
    panel(here).get_by_role("article", name="Two").get_by_role("button", name="Delete").click()
    for page in (here, there):
        expect(titles(panel(page))).to_have_text(["Three", "One"])
        expect(badge(page)).to_have_text("2")
    panel(there).get_by_role("article", name="Three").focus()
    there.keyboard.press("Delete")
    expect(panel(there).get_by_role("article", name="One")).to_be_focused()
    for page in (here, there):
        expect(titles(panel(page))).to_have_text(["One"])
        expect(badge(page)).to_have_text("1")


def test_what_was_deleted_meanwhile_is_not_shown_by_a_resume(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    here, there = new_context(allowed=("ERR_INTERNET_DISCONNECTED",)).new_page(), new_context().new_page()
    wire = Wire(here)
    send_messages(platform, recipient, "One", "Two")
    for page in (here, there):
        open_demo(page, recipient)
        expect(titles(panel(page))).to_have_text(["Two", "One"])
    here.context.set_offline(True)
    wire.cut(1011)
    expect(panel(here).locator(".notice")).to_contain_text("No connection")
    panel(there).get_by_role("article", name="One").get_by_role("button", name="Delete").click()
    send_messages(platform, recipient, "Three")
    expect(titles(panel(there))).to_have_text(["Three", "Two"])
    panel(there).get_by_role("article", name="Three").get_by_role("button", name="Delete").click()
    expect(titles(panel(there))).to_have_text(["Two"])
    here.context.set_offline(False)
    expect(here.locator("#socket")).to_have_text("live, resumed without a gap")
    expect(titles(panel(here))).to_have_text(["Two"])
    expect(badge(here)).to_have_text("1")


def test_what_expires_leaves_while_it_is_looked_at(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    open_demo(page, recipient)
    send_messages(platform, recipient, "Stays")
    send(platform, recipient, "Goes", expires_at=(datetime.now(UTC) + timedelta(seconds=5)).isoformat())
    expect(titles(panel(page))).to_have_text(["Goes", "Stays"])
    expect(badge(page)).to_have_text("2")
    expect(titles(panel(page))).to_have_text(["Stays"])
    expect(badge(page)).to_have_text("1")


def test_what_wants_to_be_acknowledged_says_so_until_it_is(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    here, there = new_context().new_page(), new_context().new_page()
    send_messages(platform, recipient, "Plain")
    send(platform, recipient, "Alarm", data={"acknowledge": True})
    for page in (here, there):
        open_demo(page, recipient)
        expect(titles(panel(page))).to_have_text(["Alarm", "Plain"])
        expect(panel(page).get_by_role("button", name="Acknowledge")).to_have_count(1)
    button = panel(here).get_by_role("article", name="Alarm").get_by_role("button", name="Acknowledge")
    button.focus()
    here.keyboard.press("Enter")
    expect(panel(here).get_by_role("article", name="Alarm")).to_be_focused()
    for page in (here, there):
        expect(panel(page).get_by_role("button", name="Acknowledge")).to_have_count(0)
        expect(panel(page).get_by_role("article", name="Alarm").get_by_text("Acknowledged")).to_be_visible()
        expect(bell(page)).to_have_accessible_name("Notifications, 1 unread")

"""The inbox component for people: keyboard, tabs, long lists, words, messages that are not to be trusted."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, NewContext
from tests.browser.inbox_pages import (
    Wire,
    badge,
    bell,
    new_recipient,
    open_demo,
    panel,
    send_messages,
    titles,
    wait_until_seen,
)
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def test_everything_can_be_done_with_the_keyboard_alone(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    send_messages(platform, recipient, "One", "Two", "Three")
    open_demo(page, recipient)
    dialog = page.locator("carillon-inbox#bell").get_by_role("dialog", name="Notifications")
    expect(bell(page)).to_have_accessible_name("Notifications, 3 unread")
    bell(page).focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_focused()
    expect(bell(page)).to_have_attribute("aria-expanded", "true")
    expect(titles(dialog)).to_have_text(["Three", "Two", "One"])
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Mark all as read")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    article = dialog.get_by_role("article")
    expect(article.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(article.nth(1)).to_be_focused()
    page.keyboard.press("r")
    expect(article.nth(1)).to_have_accessible_name("Two")
    expect(badge(page)).to_have_text("2")
    page.keyboard.press("e")
    expect(titles(dialog)).to_have_text(["Three", "One"])
    # What had the focus is gone; its neighbour has it now.
    expect(dialog.get_by_role("article", name="One")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("tab", name="Archived")).to_be_focused()
    expect(titles(dialog)).to_have_text(["Two"])
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("tab", name="Unread", selected=True)).to_be_focused()
    expect(titles(dialog)).to_have_text(["Three", "One"])
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(bell(page)).to_be_focused()
    expect(bell(page)).to_have_attribute("aria-expanded", "false")


def test_the_focus_stays_in_the_inbox_when_what_had_it_goes(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    send_messages(platform, recipient, "One")
    open_demo(page, recipient)
    dialog = page.locator("carillon-inbox#bell").get_by_role("dialog", name="Notifications")
    bell(page).focus()
    page.keyboard.press("Enter")
    expect(titles(dialog)).to_have_text(["One"])
    all_read = dialog.get_by_role("button", name="Mark all as read")
    page.keyboard.press("Tab")
    expect(all_read).to_be_focused()
    page.keyboard.press("Enter")
    expect(all_read).to_be_disabled()
    expect(dialog).to_be_focused()
    dialog.get_by_role("tab", name="Unread").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("You have read everything.")).to_be_visible()
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("tabpanel", name="Unread")).to_be_focused()


def test_what_is_wrong_is_spoken(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    wire = Wire(page)
    send_messages(platform, recipient, "One")
    open_demo(page, recipient)
    expect(titles(panel(page))).to_have_text(["One"])
    wire.cut(4409)
    inbox = panel(page)
    expect(inbox.get_by_role("status")).to_contain_text("too many devices")
    again = inbox.get_by_role("button", name="Try again")
    again.focus()
    page.keyboard.press("Enter")
    expect(again).to_have_count(0)
    expect(inbox.get_by_role("region", name="Notifications")).to_be_focused()


def test_the_tabs_show_what_they_say_and_opening_marks_as_seen(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    send_messages(platform, recipient, "One", "Two")
    open_demo(page, recipient)
    inbox = panel(page)
    inbox.get_by_role("tab", name="Unread").click()
    inbox.get_by_role("article", name="One").get_by_role("button", name="Mark as read").click()
    expect(titles(inbox)).to_have_text(["Two"])
    inbox.get_by_role("button", name="Mark all as read").click()
    expect(inbox.get_by_text("You have read everything.")).to_be_visible()
    expect(inbox.get_by_role("button", name="Mark all as read")).to_be_disabled()
    inbox.get_by_role("tab", name="All").click()
    inbox.get_by_role("article", name="One").get_by_role("button", name="Archive").click()
    inbox.get_by_role("tab", name="Archived").click()
    inbox.get_by_role("article", name="One").get_by_role("button", name="Move to inbox").click()
    expect(inbox.get_by_text("Nothing is archived.")).to_be_visible()
    inbox.get_by_role("tab", name="All").click()
    expect(titles(inbox)).to_have_text(["Two", "One"])
    wait_until_seen(page)
    send_messages(platform, recipient, "Three")
    expect(titles(inbox)).to_have_text(["Three", "Two", "One"])
    wait_until_seen(page)
    expect(badge(page)).to_have_text("1")


def test_a_long_list_is_loaded_as_it_is_scrolled(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    wanted = [f"Message {number}" for number in range(65)]
    send_messages(platform, recipient, *wanted)
    open_demo(page, recipient)
    expect(badge(page)).to_have_text("65")
    inbox = panel(page)
    expect(titles(inbox)).to_have_count(30)
    inbox.get_by_role("article").first.focus()
    for shown in (60, 65):
        page.keyboard.press("End")
        expect(titles(inbox)).to_have_count(shown)
    shown_titles = titles(inbox).all_inner_texts()
    assert sorted(shown_titles) == sorted(wanted), "each once"


def test_words_and_plurals_are_the_applications(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    send_messages(platform, recipient, "Eins")
    open_demo(page, recipient)
    page.evaluate(
        """() => {
            const inbox = document.querySelector('#bell');
            inbox.lang = 'de';
            inbox.strings = { title: 'Meldungen', bellUnread: { one: '{count} neue Meldung', other: '{count} neue Meldungen' } };
        }"""
    )
    expect(bell(page)).to_have_accessible_name("1 neue Meldung")
    send_messages(platform, recipient, "Zwei")
    expect(bell(page)).to_have_accessible_name("2 neue Meldungen")
    bell(page).click()
    expect(page.locator("#bell").get_by_role("dialog", name="Meldungen")).to_be_visible()
    expect(titles(page.locator("#bell"))).to_have_text(["Zwei", "Eins"])


def test_the_module_is_served_by_its_content_and_for_ever(platform: Platform) -> None:
    with platform.browser() as browser:
        found = re.search(r'src="(\S+/carillon-inbox\.[0-9a-f]{12}\.js)"', browser.get("/demo").text)
        assert found
        answer = browser.get(found[1], headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < 25_000


def test_a_message_is_text_whatever_it_holds(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    evil = "<img src=x onerror=alert(1)>"
    body = f"**bold** `code` {evil} [bad](javascript:alert(1)) [good](https://example.com/a)\n\n- one\n- *two*"
    send_messages(platform, recipient, evil, body=body)
    open_demo(page, recipient)
    row = panel(page).get_by_role("article")
    expect(row.locator("h3")).to_have_text(evil)
    expect(row.locator("strong")).to_have_text("bold")
    expect(row.locator(".body code")).to_have_text("code")
    expect(row.locator(".body li")).to_have_text(["one", "two"])
    expect(row.locator(".body")).to_contain_text("[bad](javascript:alert(1))")
    expect(row.locator(".body a")).to_have_count(1)
    expect(row.locator(".body a")).to_have_attribute("rel", "noopener noreferrer")
    expect(row.locator("img")).to_have_count(0)


def test_a_link_marks_as_read_and_the_application_may_go_there_itself(
    new_context: NewContext, platform: Platform
) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    send_messages(platform, recipient, "Go", action_url=f"{platform.url}/demo?order=1")
    open_demo(page, recipient)
    page.evaluate(
        """() => document.querySelector('#inbox').addEventListener('carillon-open', (event) => {
            event.preventDefault();
            document.title = `went to ${event.detail.action_url}`;
        })"""
    )
    panel(page).get_by_role("link", name="Go").click()
    expect(page).to_have_title(re.compile(r"went to .*/demo\?order=1"))
    expect(badge(page)).to_be_hidden()

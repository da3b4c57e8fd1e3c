"""The editor of templates in a real browser: what is typed is what is seen, at desktop and phone width."""

from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_demo import fits
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def log_in(page: Page, platform: Platform) -> None:
    page.goto("/admin/")
    page.locator("#id_username").fill("admin")
    page.locator("#id_password").fill(platform.admin_password)
    page.locator("button[type=submit]").click()
    page.wait_for_url("**/admin/")


def test_a_mail_is_written_while_it_is_looked_at(page: Page, platform: Platform) -> None:
    log_in(page, platform)
    page.goto("/admin/notifications/template/add/")
    page.locator("#id_project").select_option(index=1)
    page.locator("#id_key").fill(f"order-{uuid4().hex[:8]}")
    editor = page.locator("#crl-editor")
    editor.get_by_label("Subject").fill("Order {{ data.number }} for {{ recipient.name }}")
    editor.get_by_label("Body, in Markdown").fill(
        "Hello **{{ recipient.name }}**,\n\n- {{ data.text }}\n- {{ data.missing }}"
    )
    expect(editor.locator("[data-part=subject]")).to_have_text("Order 17 for Ada")
    expect(page.frame_locator("#crl-editor iframe").locator("strong")).to_have_text("Ada")
    expect(editor.locator("[data-part=undefined]")).to_have_text("Not in the sample: data.missing")
    editor.get_by_label("Subject").fill("Order {{ data.number | shout }}")
    expect(editor.locator("[data-part=faults]")).to_contain_text("There is no filter shout")
    editor.get_by_label("Subject").fill("Order {{ data.number }}")
    expect(editor.locator("[data-part=faults]")).to_be_hidden()
    page.once("dialog", lambda dialog: dialog.accept("de"))
    editor.get_by_role("button", name="Add").click()
    editor.get_by_label("Subject").fill("Bestellung {{ data.number }}")
    expect(editor.locator("[data-part=subject]")).to_have_text("Bestellung 17")
    expect(page.frame_locator("#crl-editor iframe").get_by_text("Abbestellen")).to_be_visible()
    editor.get_by_role("button", name="Phone").click()
    assert fits(page)
    editor.get_by_role("button", name="Text").click()
    expect(editor.locator("[data-part=text]")).to_contain_text("- Hello there")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert fits(page)

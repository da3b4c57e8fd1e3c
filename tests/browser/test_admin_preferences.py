"""Preferences in the admin: read in words, changed as JSON, refused with the place of what is wrong."""

import json
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def log_in(page: Page, platform: Platform) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(platform.admin_password)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{platform.url}/admin/")


def test_an_operator_reads_and_changes_what_somebody_wants(page: Page, platform: Platform, tmp_path: Path) -> None:
    name = f"admin-{time.time_ns()}"
    said = {
        "categories": {"news": {"email": False}},
        "quiet_hours": {"weekly": {"monday": [{"from": "22:00", "until": "07:00"}]}},
        "digests": {"collab": {"cron": "0 9 * * *"}},
    }
    assert platform.http.put(f"/v1/recipients/{name}/preferences", json=said).is_success
    log_in(page, platform)
    page.goto(f"/admin/notifications/recipientpreferences/?q={name}")
    expect(page.get_by_text("Category news: email off").first).to_be_visible()
    page.screenshot(path=tmp_path / "list.png", full_page=True)
    page.locator("#result_list").get_by_role("link", name=name).first.click()
    expect(page.get_by_text("Quiet hours (defer): mon 22:00–07:00").first).to_be_visible()
    page.screenshot(path=tmp_path / "row.png", full_page=True)
    field = page.locator("textarea[name=settings]")
    field.fill('{"channels": {"email": "no"}}')
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("/channels/email: Must be true or false.")).to_be_visible()
    page.screenshot(path=tmp_path / "refused.png", full_page=True)
    page.locator("textarea[name=settings]").fill(json.dumps({"channels": {"sms": False}}))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert platform.http.get(f"/v1/recipients/{name}/preferences").json()["channels"] == {"sms": False}


def test_an_operator_decides_for_a_project(page: Page, platform: Platform, tmp_path: Path) -> None:
    assert platform.http.patch("/v1/project", json={"preferences": {"channels": {"chat": False}}}).is_success
    log_in(page, platform)
    page.goto("/admin/notifications/projectsettings/")
    expect(page.get_by_text("Channel chat: off").first).to_be_visible()
    page.locator("#result_list").get_by_role("link", name="Default", exact=True).first.click()
    page.locator("textarea[name=caps]").fill('{"channels": {"email": {"limit": 0, "per": "PT1H"}}}')
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("/channels/email/limit: Must be a whole number from 1 to 1000.")).to_be_visible()
    page.screenshot(path=tmp_path / "project.png", full_page=True)
    assert platform.http.patch("/v1/project", json={"preferences": None}).is_success

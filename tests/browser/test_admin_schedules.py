"""Schedules in the admin of a running platform: made over the API, run by a button, made by Beat and workers in their time."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.fixtures.platform import Platform, wait_for

BODY = {"recipients": ["u1"], "channels": ["in_app"], "content": {"title": "Your week"}}


def put(platform: Platform, key: str, **rule: Any) -> None:
    answer = platform.http.put(
        f"{platform.url}/v1/schedules/{key}",
        json={"notification": BODY, **rule},
        headers={"Authorization": f"Bearer {platform.api_key}"},
    )
    assert answer.is_success, answer.text


def outcomes(platform: Platform, key: str) -> list[str]:
    url = f"{platform.url}/v1/schedules/{key}/occurrences"
    told = platform.http.get(url, headers={"Authorization": f"Bearer {platform.api_key}"}).json()
    return [run["outcome"] for run in told["past"]]


def picture(page: Page, name: str) -> None:
    """Kept where somebody who wants to look says so."""
    if folder := os.environ.get("CARILLON_TEST_PICTURES"):
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"), full_page=True)


def test_schedules_are_shown_and_run(page: Page, platform: Platform) -> None:
    key = f"week-{uuid4().hex[:6]}"
    once = f"once-{uuid4().hex[:6]}"
    soon = datetime.now(UTC) + timedelta(seconds=3)
    put(platform, key, cron="30 2 * * 1-5", timezone="Europe/Berlin")
    put(platform, f"{key}-report", rrule="FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17", timezone="America/New_York", paused=True)
    put(platform, f"{key}-poll", every="PT6H")
    put(platform, once, at=soon.isoformat())
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(platform.admin_password)
    page.get_by_role("button", name="Log in").click()
    page.goto("/admin/schedules/schedule/")
    expect(page.get_by_role("link", name=key, exact=True)).to_be_visible()
    picture(page, "list")
    page.get_by_role("link", name=key, exact=True).click()
    expect(page.get_by_text("On the wall in Europe/Berlin")).to_be_visible()
    run = page.get_by_role("link", name="Run now").filter(visible=True)
    if run.count() == 0:
        page.get_by_text("more_horiz").filter(visible=True).first.click()
    run.click()
    picture(page, "dialog")
    page.locator("#dialog").get_by_role("button", name="Run now").click()
    expect(page.get_by_text("1 asked to run")).to_be_visible()
    for name in (key, once):
        wait_for(lambda name=name: outcomes(platform, name) == ["fired"], timeout_seconds=30, what=f"{name} to run")
    page.reload()
    expect(page.get_by_text("fired", exact=True)).to_be_visible()
    picture(page, "page")
    page.goto("/admin/schedules/schedulerun/")
    picture(page, "runs")
    page.goto("/admin/django_celery_beat/periodictask/")
    expect(page.get_by_text(f"schedule: {key} (")).to_be_visible()
    picture(page, "beat")

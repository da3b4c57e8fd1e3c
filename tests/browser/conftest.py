"""A real Chromium from the system. Without one these tests are skipped and say so; in CI they never are."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.fixtures.platform import Platform

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a file; while it is open, its loop runs in this thread and no asynchronous test can."""
    if not CHROMIUM or not Path(CHROMIUM).exists():
        if os.environ.get("CI"):
            pytest.fail("CI has no Chromium: .ci/run installs it from the system's packages")
        pytest.skip("needs Chromium: install the system's package `chromium`")
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root; the pages it opens here are our own.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser, platform: Platform) -> Iterator[Page]:
    """A page at desktop or phone width; an error in its console fails the test."""
    sizes = {"desktop": (1440, 900), "phone": (360, 800)}
    width, height = sizes[request.param]
    context = chromium.new_context(viewport={"width": width, "height": height}, base_url=platform.url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []

"""A real Chromium from the system. Without one these tests are skipped and say so; in CI they never are."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.fixtures.platform import Platform

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
PATIENCE_MS = 30_000

NewContext = Callable[..., BrowserContext]


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
def page(request: pytest.FixtureRequest, new_context: NewContext) -> Page:
    """A page at desktop or phone width; an error in its console fails the test."""
    sizes = {"desktop": (1440, 900), "phone": (360, 800)}
    width, height = sizes[request.param]
    return new_context(viewport={"width": width, "height": height}).new_page()


@pytest.fixture
def new_context(chromium: Browser, platform: Platform) -> Iterator[NewContext]:
    """Opens browsers of their own, a device each: `new_context(...)` takes Playwright's options.

    An error in a console fails the test; `allowed` names those that a test brings about.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_context(*, allowed: tuple[str, ...] = (), **options: Any) -> BrowserContext:
        def note(text: str) -> None:
            if not any(word in text for word in allowed):
                errors.append(text)

        context = chromium.new_context(base_url=platform.url, **options)
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", lambda message: note(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: note(str(error.error)))
        contexts.append(context)
        return context

    yield open_context
    for context in contexts:
        context.close()
    assert errors == []

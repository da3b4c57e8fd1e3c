"""axe-core looks for barriers in the demo and in the inbox, empty and full, in both schemes."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, NewContext
from tests.browser.inbox_leaving import send
from tests.browser.inbox_pages import Wire, bell, new_recipient, open_demo, panel, send_messages, titles
from tests.browser.npm import install
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

AXE_CORE = "4.11.0"
RUN = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return (install(tmp_path_factory.mktemp("axe"), "axe-core", AXE_CORE) / "axe.min.js").read_text()


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds, of any weight: `impact rule: nodes`."""
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [f"{each['impact']} {each['id']}: {[node['target'] for node in each['nodes']]}" for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desktop", "phone"])
def test_no_barriers(
    scheme: str, size: tuple[int, int], new_context: NewContext, platform: Platform, axe: str, tmp_path: Path
) -> None:
    recipient = new_recipient()
    page = new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    ).new_page()
    wire = Wire(page)
    open_demo(page, recipient)
    expect(panel(page).get_by_text("Nothing here yet.")).to_be_visible()
    assert violations(page, axe) == []
    send_messages(
        platform, recipient, "Read me", body="**Bold**, `code` and [a link](https://example.com)\n\n- one\n- two"
    )
    send(platform, recipient, "Take care", data={"acknowledge": True}, category="alarms", actor="u9")
    bell(page).click()
    dialog = page.locator("#bell").get_by_role("dialog")
    expect(titles(dialog)).to_have_count(2)
    page.screenshot(path=tmp_path / "open.png")
    assert violations(page, axe) == []
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog.get_by_role("article", name="Take care").get_by_text("Acknowledged")).to_be_visible()
    dialog.get_by_role("tab", name="Archived").click()
    expect(dialog.get_by_text("Nothing is archived.")).to_be_visible()
    wire.cut(4409)
    expect(dialog.get_by_role("button", name="Try again")).to_be_visible()
    page.screenshot(path=tmp_path / "stopped.png")
    assert violations(page, axe) == []

"""How the inbox component looks: phone, right to left, light and dark."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, NewContext
from tests.browser.inbox_leaving import send
from tests.browser.inbox_pages import badge, bell, new_recipient, open_demo, panel, send_messages, titles
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

TEXTS = ("h2", "h3", ".body p", ".meta time", ".tabs button[aria-selected='false']", ".all-read", ".body a")
OWN_COLOURS = """(theme) => {
    const inbox = document.querySelector('#bell');
    inbox.setAttribute('theme', theme);
    for (const name of ['accent', 'on-accent', 'background', 'text', 'muted', 'line', 'hover', 'notice']) {
        inbox.style.setProperty(`--carillon-${name}`, 'initial');
    }
}"""


def test_on_a_phone_the_panel_takes_the_screen_and_nothing_sticks_out(
    new_context: NewContext, platform: Platform
) -> None:
    recipient = new_recipient()
    page = new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True).new_page()
    send_messages(platform, recipient, "A title that is " + "long " * 30, body="x" * 300)
    open_demo(page, recipient)
    expect(badge(page)).to_have_text("1")
    assert _fits(page)
    bell(page).tap()
    dialog = page.locator("carillon-inbox#bell").get_by_role("dialog")
    expect(titles(dialog)).to_have_count(1)
    box = dialog.bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 740)
    assert dialog.locator(".scroll").evaluate("it => it.scrollWidth <= it.clientWidth")
    dialog.get_by_role("button", name="Close").tap()
    expect(dialog).to_be_hidden()
    assert _fits(page)


def test_right_to_left_mirrors_the_panel_and_the_arrow_keys(
    new_context: NewContext, platform: Platform, tmp_path: Path
) -> None:
    recipient = new_recipient()
    page = new_context(viewport={"width": 1200, "height": 800}).new_page()
    send(platform, recipient, "مرحبا", data={"acknowledge": True}, actor="u9")
    open_demo(page, recipient)
    page.evaluate("Object.assign(document.documentElement, { dir: 'rtl', lang: 'ar' })")
    bell(page).click()
    dialog = page.locator("carillon-inbox#bell").get_by_role("dialog")
    row = dialog.get_by_role("article", name="مرحبا")
    page.screenshot(path=tmp_path / "right-to-left.png")
    title, actions = row.locator("h3").bounding_box(), row.locator(".actions").bounding_box()
    assert title is not None and actions is not None
    assert actions["x"] < title["x"]
    place = dialog.bounding_box()
    assert place is not None
    assert place["x"] >= 0 and place["x"] + place["width"] <= 1200
    dialog.get_by_role("tab", name="All").focus()
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("tab", name="Unread")).to_be_focused()
    assert _fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_colours_follow_the_page_and_are_told_apart(
    scheme: str, device: str, new_context: NewContext, platform: Platform, tmp_path: Path
) -> None:
    recipient = new_recipient()
    size = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}[device]
    page = new_context(viewport=size, color_scheme=scheme).new_page()
    send_messages(
        platform, recipient, "Your order has shipped", body="Parcel **4812** left our warehouse this morning."
    )
    send_messages(platform, recipient, "Invoice ready", body="For *November*: see [details](https://example.com)")
    open_demo(page, recipient)
    panel(page).get_by_role("article", name="Invoice ready").get_by_role("button", name="Mark as read").click()
    expect(badge(page)).to_have_text("1")
    bell(page).click()
    dialog = page.locator("#bell").get_by_role("dialog")
    expect(titles(dialog)).to_have_count(2)
    page.screenshot(path=tmp_path / f"{device}-{scheme}.png")
    for part in TEXTS:
        assert _contrast(page, part) >= 4.5, part
    # The component's own colours, and against the page's scheme.
    page.evaluate(OWN_COLOURS, "light" if scheme == "dark" else "dark")
    page.screenshot(path=tmp_path / f"{device}-{scheme}-reversed.png")
    assert (_luminance(page, ".panel", "backgroundColor") > 0.5) == (scheme == "dark")
    for part in TEXTS:
        assert _contrast(page, part) >= 4.5, part


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def _contrast(page: Page, part: str) -> float:
    """WCAG contrast of a part's text to the panel behind it."""
    ink, paper = _luminance(page, part, "color"), _luminance(page, ".panel", "backgroundColor")
    return (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)


def _luminance(page: Page, part: str, style: str) -> float:
    return float(
        page.evaluate(
            """([part, style]) => {
                const canvas = new OffscreenCanvas(1, 1).getContext('2d');
                canvas.fillStyle = getComputedStyle(document.querySelector('#bell').shadowRoot.querySelector(part))[style];
                canvas.fillRect(0, 0, 1, 1);
                const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((each) => each / 255)
                    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            }""",
            [part, style],
        )
    )

"""The page of preferences as a person meets it: from the mail, by thumb and by keyboard, in light and dark."""

import re
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, NewContext
from tests.fixtures.platform import Platform, wait_for

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

CONTRAST = """() => {
    const parse = (c) => c.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (it) => {
        for (; it; it = it.parentElement) {
            const [r, g, b, a = 1] = parse(getComputedStyle(it).backgroundColor);
            if (a > 0) return [r, g, b];
        }
    };
    const poor = [];
    for (const it of document.querySelectorAll('h1,h2,p,legend,span,label,button,select,input[type=time],a')) {
        if (!it.checkVisibility() || !it.textContent.trim() && !it.value) continue;
        const [one, two] = [light(parse(getComputedStyle(it).color)), light(behind(it))].sort((a, b) => b - a);
        const ratio = (one + 0.05) / (two + 0.05);
        if (ratio < 4.5) poor.push(`${it.tagName} ${it.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
    }
    return poor;
}"""


def link_in_mail(platform: Platform, name: str, locale: str) -> str:
    """Send somebody a mail and read the address under it, as its reader would."""
    body = {
        "recipients": [{"id": name, "email": f"{name}@example.com", "locale": locale, "timezone": "Europe/Berlin"}],
        "channels": ["email"],
        "content": {"title": "Your order has shipped"},
        "category": "order-updates",
    }
    assert platform.http.post("/v1/notifications", json=body).status_code == 202

    def found() -> str | None:
        for path in Path(platform.data_dir, "mail").rglob("*"):
            if path.is_file() and f"{name}@example.com".encode() in (raw := path.read_bytes()):
                text = message_from_bytes(raw, policy=default).get_body(("plain",))
                assert text is not None
                if match := re.search(r"\S+/p/\S+", text.get_content()):
                    return match[0]
        return None

    return wait_for(found, timeout_seconds=30, what="the mail")


def settings(platform: Platform, name: str) -> dict[str, object]:
    found: dict[str, object] = platform.http.get(f"/v1/recipients/{name}/preferences").json()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_it_fits_and_can_be_read(
    scheme: str, device: str, language: str, new_context: NewContext, platform: Platform, tmp_path: Path
) -> None:
    name = f"looks-{scheme}-{device}-{language}-{time.time_ns()}"
    link = link_in_mail(platform, name, language)
    platform.http.put(
        f"/v1/recipients/{name}/preferences",
        json={
            "categories": {"comments": {"email": False}, "weekly-report": {"in_app": False}},
            "digests": {"comments": {"cron": "0 18 * * 5"}, "weekly-report": {"cron": "0 9 * * *"}},
            "quiet_hours": {
                "weekly": {"monday": [{"from": "22:00", "until": "07:00"}, {"from": "12:00", "until": "13:00"}]}
            },
        },
    )
    size = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 360, "height": 780}}[device]
    page = new_context(viewport=size, color_scheme=scheme).new_page()
    page.goto(link)
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(CONTRAST) == []
    page.screenshot(path=tmp_path / "page.png", full_page=True)


def test_by_keyboard_alone(new_context: NewContext, platform: Platform) -> None:
    name = f"keys-{time.time_ns()}"
    page = new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False).new_page()
    page.goto(link_in_mail(platform, name, "en"))
    first = page.get_by_role("group", name="Order updates").get_by_role("switch", name="Email")
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    expect(first).to_be_checked()
    page.keyboard.press("Space")
    expect(first).not_to_be_checked()
    tab_to(page, "rhythm order-updates")
    page.keyboard.type("Together, every week")
    tab_to(page, "weekday order-updates")
    page.keyboard.type("Friday")
    tab_to(page, "quiet")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # as in every form: saves
    expect(page.get_by_role("status")).to_have_text("Saved.")
    saved = settings(platform, name)
    assert saved["categories"] == {"order-updates": {"email": False}}
    assert saved["digests"] == {"order-updates": {"cron": "0 9 * * 5"}}
    assert saved["quiet_hours"] == {"weekly": {"monday": [{"from": "22:00", "until": "07:00"}]}}


def tab_to(page: Page, field: str) -> None:
    """Press Tab until the field of this name has the focus."""
    wanted = page.locator(f"[name='{field}']").first
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"{field} cannot be reached")


def test_stopping_all_mail_on_a_phone(new_context: NewContext, platform: Platform) -> None:
    name = f"stop-{time.time_ns()}"
    page = new_context(viewport={"width": 360, "height": 780}, has_touch=True, is_mobile=True).new_page()
    page.goto(link_in_mail(platform, name, "en"))
    page.get_by_role("button", name="Stop all mail").tap()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    assert settings(platform, name)["channels"] == {"email": False}
    for switch in page.get_by_role("switch", name="Email").all():
        expect(switch).not_to_be_checked()
    heights = page.get_by_role("switch").evaluate_all(
        "all => all.map((it) => it.parentElement.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44  # a thumb's width

"""The inbox on several tabs and devices, and across lost connections: in step, nothing missed, nothing twice."""

import base64
import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, WebSocketRoute, expect

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


def test_two_tabs_and_a_second_device_stay_in_step(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    here, elsewhere = new_context(), new_context()
    pages = [here.new_page(), here.new_page(), elsewhere.new_page()]
    for page in pages:
        open_demo(page, recipient)
        expect(page.locator("#socket")).to_have_attribute("data-state", "live")
    send_messages(platform, recipient, "One", "Two", "Three")
    for page in pages:
        expect(badge(page)).to_have_text("3")
        expect(titles(panel(page))).to_have_count(3)
    # Each page acts once, so the tab that only shares a connection does as well.
    for number, (page, title) in enumerate(zip(pages, ("One", "Two", "Three"), strict=True), start=1):
        panel(page).get_by_role("article", name=title).get_by_role("button", name="Mark as read").click()
        for other in pages:
            row = panel(other).get_by_role("article", name=title)
            expect(row.get_by_role("button", name="Mark as unread")).to_be_visible()
            expect(badge(other)).to_have_text(str(3 - number))
    for page in pages:
        expect(badge(page)).to_be_hidden()
    panel(pages[2]).get_by_role("article", name="Two").get_by_role("button", name="Archive").click()
    for page in pages:
        expect(titles(panel(page))).to_have_text(["Three", "One"])


def test_tabs_share_one_connection_and_another_takes_over(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    context = new_context()
    wire = Wire(context)
    first, second = context.new_page(), context.new_page()
    open_demo(first, recipient)
    expect(first.locator("#socket")).to_have_text("live")
    send_messages(platform, recipient, "Before")
    open_demo(second, recipient)
    expect(titles(panel(second))).to_have_text(["Before"])
    assert _connects_with(wire, recipient) == 1
    first.close()
    send_messages(platform, recipient, "After")
    expect(titles(panel(second))).to_have_text(["After", "Before"])
    assert _connects_with(wire, recipient) == 2
    last = json.loads([text for text in wire.sent if '"connect"' in text][-1])
    assert last["connect"]["since"]["offset"] >= 1
    panel(second).get_by_role("button", name="Mark all as read").click()
    expect(badge(second)).to_be_hidden()


@pytest.mark.parametrize("code", [1006, 4008, 4401, 4503])
def test_a_cut_connection_resumes_with_nothing_missed_and_nothing_twice(
    code: int, new_context: NewContext, platform: Platform
) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    tokens: list[str] = []
    page.on("request", lambda request: tokens.append(request.url) if request.url.endswith("/demo/token") else None)
    wire = Wire(page)
    open_demo(page, recipient)
    send_messages(platform, recipient, "One", "Two")
    expect(titles(panel(page))).to_have_text(["Two", "One"])
    asked = len(tokens)
    # A close frame may not say 1006; what stands for a lost network is a code that says nothing.
    wire.cut(1011 if code == 1006 else code)
    send_messages(platform, recipient, "Three", "Four")
    expect(titles(panel(page))).to_have_text(["Four", "Three", "Two", "One"])
    expect(page.locator("#socket")).to_have_text("live, resumed without a gap")
    expect(badge(page)).to_have_text("4")
    assert len(tokens) > asked, "every connect brings a fresh token"


@pytest.mark.parametrize(("code", "words"), [(4403, "may not open"), (4409, "too many devices")])
def test_a_final_verdict_stops_and_says_so_until_somebody_tries_again(
    code: int, words: str, new_context: NewContext, platform: Platform
) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    wire = Wire(page)
    open_demo(page, recipient)
    expect(page.locator("#socket")).to_have_text("live")
    wire.cut(code)
    notice = panel(page).locator(".notice")
    expect(notice).to_contain_text(words)
    expect(page.locator("#socket")).to_have_text("not connected")
    send_messages(platform, recipient, "Meanwhile")
    notice.get_by_role("button", name="Try again").click()
    expect(notice).to_be_hidden()
    expect(titles(panel(page))).to_have_text(["Meanwhile"])


def test_without_a_network_it_says_so_and_catches_up(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context(allowed=("ERR_INTERNET_DISCONNECTED",)).new_page()
    wire = Wire(page)
    open_demo(page, recipient)
    send_messages(platform, recipient, "One")
    expect(titles(panel(page))).to_have_text(["One"])
    page.context.set_offline(True)
    wire.cut(1011)
    expect(panel(page).locator(".notice")).to_contain_text("No connection")
    send_messages(platform, recipient, "Two")
    page.context.set_offline(False)
    expect(titles(panel(page))).to_have_text(["Two", "One"])
    expect(panel(page).locator(".notice")).to_be_hidden()


def test_a_gap_told_by_a_position_frame_is_filled(new_context: NewContext, platform: Platform) -> None:
    recipient = new_recipient()
    page = new_context().new_page()
    swallowed: list[str] = []

    def lossy(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def to_page(text: str | bytes) -> None:
            frame = json.loads(text)
            if frame.get("event") == "message.created" and frame["message"]["title"] == "Lost":
                swallowed.append(str(text))
                # What the server sends every 25 seconds, now.
                text = json.dumps({"event": "position", "offset": frame["offset"]})
            socket.send(text)

        server.on_message(to_page)

    page.route_web_socket("**/ws/inbox", lossy)
    open_demo(page, recipient)
    send_messages(platform, recipient, "Told")
    expect(titles(panel(page))).to_have_text(["Told"])
    # Else what marks the first as seen would tell of the second as well.
    wait_until_seen(page)
    send_messages(platform, recipient, "Lost")
    expect(titles(panel(page))).to_have_text(["Lost", "Told"])
    expect(bell(page)).to_have_accessible_name("Notifications, 2 unread")
    assert swallowed


def test_a_killed_server_is_found_again_and_nothing_is_missed(
    chromium: Browser, start_platform: Callable[..., Platform]
) -> None:
    platform = start_platform(env={"WEB_PROCESSES": "1", "WORKER_PROCESSES": "1"})
    recipient = new_recipient()
    context: BrowserContext = chromium.new_context(base_url=platform.url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    open_demo(page, recipient)
    send_messages(platform, recipient, "One")
    expect(titles(panel(page))).to_have_text(["One"])
    killed = platform.kill("web")
    platform.wait_until_replaced("web", killed)
    platform.wait_until_answering()
    send_messages(platform, recipient, "Two")
    expect(titles(panel(page))).to_have_text(["Two", "One"])
    expect(page.locator("#socket")).to_have_text("live, resumed without a gap")
    context.close()


def _connects_with(wire: Wire, recipient: str) -> int:
    """How many connections were opened for this recipient; the demo starts with another one."""
    count = 0
    for text in wire.sent:
        if '"connect"' in text:
            count += recipient in _claims(json.loads(text)["connect"]["token"])
    return count


def _claims(token: str) -> str:
    payload = token.split(".")[1]
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()

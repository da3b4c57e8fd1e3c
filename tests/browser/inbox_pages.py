"""What the inbox tests do with pages and platform: open the demo, send, cut the socket; and where things are."""

import re
from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import BrowserContext, Locator, Page, WebSocketRoute

from tests.fixtures.platform import Platform, wait_for


def new_recipient() -> str:
    """A recipient that no other test uses."""
    return f"inbox-{uuid4().hex[:10]}"


def send_messages(platform: Platform, recipient: str, *titles: str, **content: str) -> None:
    """Send over the API, each when the one before has arrived: workers keep no order among notifications."""
    for title in titles:
        body = {"recipients": [recipient], "channels": ["in_app"], "content": {"title": title, **content}}
        answer = platform.http.post("/v1/notifications", json=body)
        assert answer.status_code == 202, answer.text
        path = f"/demo/notifications/{answer.json()['id']}"
        wait_for(lambda path=path: has_arrived(platform, path), timeout_seconds=30, what="the message to arrive")


def has_arrived(platform: Platform, path: str) -> bool:
    """Whether everything of the notification at this address of the demo has arrived."""
    deliveries = platform.http.get(path).json()["data"]
    return bool(deliveries) and all(each["state"] in ("sent", "delivered") for each in deliveries)


def open_demo(page: Page, recipient: str) -> None:
    """The demo with this recipient's inbox."""
    page.goto("/demo")
    page.get_by_role("textbox", name="Recipient").fill(recipient)
    page.get_by_role("textbox", name="Recipient").press("Tab")


def titles(inbox: Locator) -> Locator:
    """The titles of the messages that are shown."""
    return inbox.locator("h3")


def panel(page: Page) -> Locator:
    """The inbox that lies open in the page."""
    return page.locator("carillon-inbox#inbox")


def bell(page: Page) -> Locator:
    """The bell's button; its name tells the number."""
    return page.locator("carillon-inbox#bell .bell")


def badge(page: Page) -> Locator:
    """The number on the bell."""
    return page.locator("carillon-inbox#bell .badge")


def wait_until_seen(page: Page) -> None:
    """Wait until no message is unseen."""
    unseen = "document.querySelector('#inbox').client.counts.unseen"
    wait_for(lambda: page.evaluate(unseen) == 0, timeout_seconds=30, what="all messages to be seen")


class Wire:
    """The sockets that pages open, to be counted and cut as a lost network would; nothing in them is changed."""

    def __init__(self, target: Page | BrowserContext) -> None:
        self.opened: list[WebSocketRoute] = []
        self.sent: list[str] = []
        target.route_web_socket(re.compile("/ws/inbox"), self._relay)

    def cut(self, code: int) -> None:
        """Close the newest socket towards the page."""
        self.opened[-1].close(code=code)

    def _relay(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        self.opened.append(socket)
        socket.on_message(self._remember(server.send))

    def _remember(self, forward: Callable[[str | bytes], None]) -> Callable[[str | bytes], None]:
        def pass_on(text: str | bytes) -> None:
            self.sent.append(str(text))
            forward(text)

        return pass_on

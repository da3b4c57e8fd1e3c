"""Sending what has more to it than a content."""

from typing import Any

from tests.browser.inbox_pages import has_arrived
from tests.fixtures.platform import Platform, wait_for


def send(platform: Platform, recipient: str, title: str, **more: Any) -> None:
    """Send one in-app message over the API and wait until it is in the inbox."""
    body = {"recipients": [recipient], "channels": ["in_app"], "content": {"title": title}, **more}
    answer = platform.http.post("/v1/notifications", json=body)
    assert answer.status_code == 202, answer.text
    path = f"/demo/notifications/{answer.json()['id']}"
    wait_for(lambda: has_arrived(platform, path), timeout_seconds=30, what="the message to arrive")

"""`InboxClient` as somebody's own user interface uses it: verdicts, refusals, and what it tells."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, NewContext
from tests.browser.inbox_pages import new_recipient, send_messages
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

# The page is one of Carillon's without an inbox; `told` ends with the first event that `until` names.
FOLLOW = """async ({ token, recipient, until }) => {
    const { InboxClient } = await import('/static/carillon/inbox/carillon-inbox.js');
    const client = new InboxClient({ recipient, getToken: async () => token });
    window.client = client;
    const told = [];
    return new Promise((resolve) => {
        for (const type of ['status', 'counts', 'reload', 'change']) {
            client.addEventListener(type, ({ detail }) => {
                told.push(type === 'status' ? `${detail.status} ${detail.reason ?? ''}`.trim() : type);
                if (told.at(-1) === until) resolve(told);
            });
        }
        client.start();
    });
}"""
REFUSAL = "([name, args]) => window.client.command(name, args).then(() => 'done', (error) => error.code)"


@pytest.fixture
def blank(new_context: NewContext) -> Page:
    """A page of the platform that opens no inbox by itself."""
    page = new_context().new_page()
    page.goto("/")
    return page


def token_of(platform: Platform, recipient: str) -> str:
    answer = platform.http.post(f"/v1/recipients/{recipient}/tokens", json={})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def follow(page: Page, **options: Any) -> list[str]:
    return list(page.evaluate(FOLLOW, options))


def test_it_tells_to_load_then_lists_and_acts(blank: Page, platform: Platform) -> None:
    recipient = new_recipient()
    send_messages(platform, recipient, "One", "Two")
    told = follow(blank, token=token_of(platform, recipient), recipient=recipient, until="live")
    assert told[0] == "connecting"
    assert told.count("reload") == 1
    page = blank.evaluate("() => window.client.list({ limit: 1 })")
    assert len(page["messages"]) == 1
    following = blank.evaluate("(before) => window.client.list({ limit: 1, before })", page["next"])
    assert {page["messages"][0]["title"], following["messages"][0]["title"]} == {"One", "Two"}
    done = blank.evaluate("(id) => window.client.read([id])", page["messages"][0]["id"])
    assert done["counts"]["unread"] == blank.evaluate("window.client.counts.unread") == 1


def test_a_refused_command_says_why(blank: Page, platform: Platform) -> None:
    recipient = new_recipient()
    send_messages(platform, recipient, "One")
    follow(blank, token=token_of(platform, recipient), recipient=recipient, until="live")
    assert blank.evaluate(REFUSAL, ["read", {"ids": ["msg_nonsense"]}]) == "not_found"
    assert blank.evaluate(REFUSAL, ["dance", {}]) == "unknown_command"
    blank.evaluate("window.client.stop()")
    assert blank.evaluate(REFUSAL, ["list", {}]) == "offline"
    assert blank.evaluate("window.client.status") == "stopped"


def test_nobody_logged_in_is_no_reason_to_try_again(blank: Page) -> None:
    assert follow(blank, token=None, recipient="u1", until="stopped no_token")[-1] == "stopped no_token"


def test_a_token_of_somebody_else_is_not_shown_to_this_recipient(blank: Page, platform: Platform) -> None:
    recipient, other = new_recipient(), new_recipient()
    send_messages(platform, other, "Secret")
    told = follow(blank, token=token_of(platform, other), recipient=recipient, until="stopped wrong_recipient")
    assert "reload" not in told
    assert "counts" not in told

"""What claimed deliveries of workflows say: templates filled in for mail and webhooks, digests with all their items."""

from typing import Any

from delivery.claims import Claim, Message, claim, read_messages
from delivery.runs.filling import fill
from tests.delivery.runs.flow import Flow, digest

MAIL: dict[str, Any] = {
    "key": "mail",
    "type": "email",
    "template": {
        "locales": {
            "default": {"subject": "{{ total_items }} by {{ actors | names: 1 }}", "body": "{{ data.text }}"},
            "de": {"subject": "{{ total_items }} von {{ actors | names: 1 }}", "body": "{{ data.text }}"},
        }
    },
}
HOOK: dict[str, Any] = {"key": "hook", "type": "webhook", "template": {"title": "{{ total_items }}", "body": "b"}}


async def taken(flow: Flow, channel: str) -> list[tuple[Claim, Message]]:
    connection = flow.world.connection
    _, claims = await claim(connection, channel=channel, limit=50, lease_seconds=60, max_claims=5)
    messages = await read_messages(connection, [item.notification_id for item in claims])
    return await fill(connection, channel, claims, messages)


async def collect(flow: Flow, *steps: dict[str, Any], **more: Any) -> None:
    await flow.publish("c", [digest(), *steps], **more)
    person = {"id": "u1", "email": "u1@example.com", "locale": "de-AT"}
    await flow.ask("c", {"id": "ana", "name": "Ana"}, person, actor="ana", text="one")
    await flow.ask("c", "u1", actor="bo", text="two")
    (row,) = await flow.world.rows("SELECT id FROM notifications_recipient WHERE external_id = 'u1'")
    await flow.world.add_endpoint(row["id"], "https://a.example/hook")
    await flow.pass_time(minutes=30)


async def test_a_mail_speaks_the_recipients_language_and_knows_the_whole_digest(flow: Flow) -> None:
    await collect(flow, MAIL)
    (pair,) = [pair for pair in await taken(flow, "email") if pair[0].recipient == "u1"]
    item, message = pair
    assert (message.content["title"], message.content["body"]) == ("2 von Ana und 1 weitere Person", "two")
    assert (item.step, item.digest_id is not None) == ("mail", True)
    assert [each["data"]["text"] for each in message.data["items"]] == ["one", "two"]


async def test_a_webhook_gets_every_item_by_machine(flow: Flow) -> None:
    await collect(flow, HOOK)
    (pair,) = await taken(flow, "webhook")
    assert pair[1].content["title"] == "2"
    assert pair[1].data["total_items"] == 2
    assert [each["actor"] for each in pair[1].data["items"]] == [
        {"id": "ana", "name": "Ana"},
        {"id": "bo", "name": "bo"},
    ]


async def test_links_of_a_mail_are_there_for_its_text(flow: Flow) -> None:
    linked = {
        "key": "mail",
        "type": "email",
        "template": {
            "subject": "s",
            "body": "[no]({{ unsubscribe_url }}) [page]({{ preferences_url }}) [me]({{ acknowledge_url }})",
        },
    }
    await flow.publish("c", [linked], category="news")
    await flow.ask("c", {"id": "u1", "email": "u1@example.com"})
    (pair,) = await taken(flow, "email")
    assert all(path in pair[1].content["body"] for path in ("/u/", "/p/", "/k/"))


async def test_what_cannot_be_said_is_told_apart_from_what_can(flow: Flow) -> None:
    await flow.publish("c", [{**HOOK, "template": {"title": "t", "body": "b", "action_url": "{{ data.url }}"}}])
    await flow.world.add_recipients("u1")
    rows = await flow.world.rows("SELECT id FROM notifications_recipient WHERE external_id = 'u1'")
    await flow.world.add_endpoint(rows[0]["id"], "https://a.example/hook")
    for url in ("https://example.com/", "javascript:alert(1)"):
        await flow.ask("c", "u1", data={"url": url})
    contents = [message.content for _, message in await taken(flow, "webhook")]
    assert [content.get("action_url") for content in contents if "unsayable" not in content] == ["https://example.com/"]
    assert len([content for content in contents if "unsayable" in content]) == 1

"""The Python client against the running platform, in both colours."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from carillon_client import (
    AsyncClient,
    Client,
    Conflict,
    NotFound,
    Unauthorized,
    ValidationError,
    Webhook,
    WebhookVerificationError,
)
from carillon_client.errors import Problem
from carillon_client.results import Accepted

from tests.clients.asking import HELLO, finished
from tests.fixtures.platform import Platform
from tests.fixtures.receivers import Answer, Call, HttpReceiver


@dataclass(frozen=True)
class Hook:
    """An endpoint of `recipient` that leads to a receiver of the test's own."""

    recipient: str
    id: str
    secret: str
    calls: Callable[[int], list[Call]]


@pytest.fixture
def hook(client: Client, http_receiver: HttpReceiver) -> Hook:
    client.recipients.put("hooked")
    made = client.endpoints.create("hooked", http_receiver.url + "/hook", event_types=["ping", "notification"])
    assert made.secret is not None
    assert made.secret not in repr(made)
    return Hook("hooked", made.id, made.secret, lambda count: http_receiver.calls_to("/hook", count))


def test_a_notification_is_sent_and_followed(client: Client) -> None:
    client.recipients.put("reader", email="ada@example.com", name="Ada", data={"plan": "pro"})
    sent = client.notifications.send(
        recipients=["reader"], data={"order": 17}, metadata={"a": [1]}, thread="order-17", **HELLO
    )
    assert sent.status == "accepted" and sent.created_at.tzinfo is not None
    (delivery,) = finished(client, sent.id)
    assert (delivery.recipient, delivery.channel, delivery.state) == ("reader", "in_app", "delivered")
    told = client.notifications.get(sent.id)
    assert (told.data, told.metadata, told.thread) == ({"order": 17}, {"a": [1]}, "order-17")
    assert told.content is not None and told.content.title == "Hello"
    assert told.deliveries["delivered"] == 1
    detail = client.deliveries.get(delivery.id)
    assert [attempt.outcome for attempt in detail.attempts] == ["stored_in_inbox"]
    explained = client.notifications.explain(sent.id, recipient="reader")
    assert [why.recipient for why in explained.data] == ["reader"]
    assert "accepted" in [decision.code for decision in explained.decisions]
    assert sent.id in [notification.id for notification in client.notifications.list()]


async def test_a_notification_is_sent_and_followed_async(aclient: AsyncClient, client: Client) -> None:
    await aclient.topics.subscribe("async", ["a1", "a2", "a3"])
    sent = await aclient.notifications.send(recipients=[{"topic": "async"}], **HELLO)
    finished(client, sent.id)
    deliveries = aclient.notifications.deliveries(sent.id, page_size=2)
    assert sorted([delivery.recipient async for delivery in deliveries]) == ["a1", "a2", "a3"]
    assert [len(page.data) async for page in deliveries.pages()] == [2, 1]
    with pytest.raises(NotFound):
        await aclient.deliveries.get("dlv_unknown")
    assert (await aclient.notifications.get(sent.id)).deliveries["delivered"] == 3


def test_many_are_sent_with_a_result_each(client: Client) -> None:
    good, bad, other = client.notifications.send_many(
        [
            {"recipients": ["m1"], **HELLO},
            {"recipients": ["m1"], "channels": ["smoke"]},
            {"recipients": ["m2"], **HELLO},
        ]
    )
    assert isinstance(good, Accepted) and isinstance(other, Accepted)
    assert isinstance(bad, Problem)
    assert (bad.status, bad.code) == (422, "invalid")
    assert "/channels/0" in [fault.pointer for fault in bad.errors]


def test_a_plan_keeps_nothing(client: Client) -> None:
    plan = client.notifications.plan(recipients=["nobody-yet"], **HELLO)
    (recipient,) = plan.entries[0].recipients
    assert (recipient.recipient, recipient.known, recipient.ways[0].delivers) == ("nobody-yet", False, True)
    with pytest.raises(NotFound):
        client.recipients.get("nobody-yet")


def test_what_waits_can_be_cancelled(client: Client) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    sent = client.notifications.send(recipients=["c1"], send_at=later, cancellation_key="c-1", **HELLO)
    told = client.notifications.get(sent.id)
    assert told.send_at is not None and abs(told.send_at - later) < timedelta(seconds=1)
    client.notifications.cancel(sent.id)
    assert client.notifications.get(sent.id).status == "cancelled"
    client.notifications.send(recipients=["c1"], send_at=later, cancellation_key="c-2", **HELLO)
    assert client.notifications.cancel_all("c-2").notifications == 1
    done = client.notifications.send(recipients=["c1"], **HELLO)
    finished(client, done.id)
    with pytest.raises(Conflict):
        client.notifications.cancel(done.id)


def test_recipients_come_change_and_go(client: Client) -> None:
    made = client.recipients.put("p 1 ä?", email="p1@example.com", locale="de-AT", data={"a": 1, "b": 2})
    assert made.locale == "de-AT"
    changed = client.recipients.patch(made.id, email=None, data={"a": None})
    assert (changed.email, changed.locale, changed.data) == (None, "de-AT", {"b": 2})
    assert client.recipients.get(made.id) == changed
    assert made.id in [recipient.id for recipient in client.recipients.list()]
    token = client.tokens.create(made.id, lifetime_seconds=60)
    assert token.expires_at > datetime.now(UTC) and token.token not in repr(token)
    client.recipients.delete(made.id)
    with pytest.raises(NotFound):
        client.recipients.delete(made.id)


def test_endpoints_are_kept_pinged_and_their_webhooks_verified(client: Client, hook: Hook) -> None:
    rotated = client.endpoints.rotate_secret(hook.recipient, hook.id)
    assert rotated.secret not in (None, hook.secret) and rotated.old_secret_until is not None
    ping = client.endpoints.ping(hook.recipient, hook.id)
    (call,) = hook.calls(1)
    for secrets in ([hook.secret], [rotated.secret], [hook.secret, rotated.secret]):
        event = Webhook(*filter(None, secrets)).verify(call.body, call.headers)
        assert (event.id, event.type, event.data["recipient"]) == (ping.id, "ping", hook.recipient)
    with pytest.raises(WebhookVerificationError):
        Webhook(hook.secret).verify(call.body + b" ", call.headers)
    (delivery,) = finished(client, ping.notification_id)
    assert [row.id for row in client.endpoints.deliveries(hook.recipient, hook.id)] == [delivery.id]
    replayed = client.endpoints.replay(hook.recipient, hook.id, since=ping.created_at, states=["sent"])
    assert replayed.count == 1
    assert hook.calls(2)[1].headers["webhook-id"] == ping.id
    finished(client, ping.notification_id)
    attempts = client.deliveries.get(ping.id).attempts
    assert [attempt.number for attempt in attempts] == [1, 2]
    assert attempts[0].request is not None and attempts[0].request["method"] == "POST"


def test_endpoints_change_and_sign_with_ed25519(client: Client, hook: Hook) -> None:
    rotated = client.endpoints.rotate_secret(hook.recipient, hook.id, signature="v1a")
    assert rotated.secret is None and rotated.public_key is not None
    client.endpoints.ping(hook.recipient, hook.id)
    (call,) = hook.calls(1)
    assert Webhook(rotated.public_key).verify(call.body, call.headers).type == "ping"
    with pytest.raises(WebhookVerificationError):
        Webhook(rotated.public_key).verify(call.body + b" ", call.headers)
    changed = client.endpoints.patch(hook.recipient, hook.id, retry_seconds=[1, 2], headers={"x-key": "k"})
    assert (changed.retry_seconds, list(changed.headers)) == ((1, 2), ["x-key"])
    assert client.endpoints.get(hook.recipient, hook.id) == changed
    assert hook.id in [endpoint.id for endpoint in client.endpoints.list(hook.recipient)]
    client.endpoints.delete(hook.recipient, hook.id)
    with pytest.raises(NotFound):
        client.endpoints.get(hook.recipient, hook.id)


def test_what_failed_is_sent_again(client: Client, http_receiver: HttpReceiver) -> None:
    url = http_receiver.answer("/once", Answer(500), Answer(200))
    client.recipients.put("again")
    client.endpoints.create("again", url, retry_seconds=[])
    sent = client.notifications.send(recipients=["again"], channels=["webhook"], content={"title": "Hello"})
    (failed,) = finished(client, sent.id)
    assert failed.state == "failed" and failed.reason
    assert [row.id for row in client.deliveries.list(state="failed", recipient="again")] == [failed.id]
    assert client.deliveries.retry(failed.id).state == "queued"
    http_receiver.calls_to("/once", 2)
    (row,) = finished(client, sent.id)
    assert row.state == "sent"
    assert client.deliveries.replay(state="failed", recipient="again").count == 0


def test_workflows(client: Client) -> None:
    def greeting(title: str) -> dict[str, Any]:
        return {"name": "Greeting", "steps": [{"key": "bell", "type": "in_app", "template": {"title": title}}]}

    assert client.workflows.put("greet", **greeting("One")).published == 1
    assert client.workflows.put("greet", **greeting("Two"), draft=True).draft == 2
    assert client.workflows.publish("greet", 2).definition == greeting("Two")
    assert [(row.number, row.state) for row in client.workflows.versions("greet")] == [
        (2, "published"),
        (1, "superseded"),
    ]
    assert client.workflows.version("greet", 1).definition == greeting("One")
    assert client.notifications.send(recipients=["w1"], workflow="greet").status == "accepted"
    client.workflows.archive("greet")
    assert client.workflows.get("greet").archived_at is not None
    assert "greet" in [row.key for row in client.workflows.list()]


def test_topics_suppressions_and_events(client: Client, http_receiver: HttpReceiver) -> None:
    client.topics.put("t1", name="Team 1")
    assert client.topics.subscribe("t1", ["t-a", "t-b"]).added == 2
    assert client.topics.unsubscribe("t1", ["t-b", "t-c"]).removed == 1
    assert [member.recipient for member in client.topics.subscriptions("t1")] == ["t-a"]
    assert client.topics.patch("t1", name="Team One").name == "Team One"
    assert client.topics.get("t1") in list(client.topics.list())
    client.topics.delete("t1")

    suppressed = client.suppressions.create("Gone@example.com", detail="asked by phone")
    assert [row.id for row in client.suppressions.list(address="gone@example.com")] == [suppressed.id]
    assert client.suppressions.get(suppressed.id).detail == "asked by phone"
    client.suppressions.delete(suppressed.id)

    made = client.event_endpoints.put("ours", http_receiver.url + "/status")
    assert made.secret is not None and made.secret not in repr(made)
    sent = client.notifications.send(recipients=["e1"], channels=["email"], content={"title": "Hello"})
    finished(client, sent.id)
    (call, *_) = http_receiver.calls_to("/status", 1)
    told = Webhook(made.secret).verify(call.body, call.headers)
    assert (client.events.get(told.id).type, client.events.get(told.id).data) == (told.type, told.data)
    assert told.id in [event.id for event in client.events.list(type=told.type)]
    assert client.event_endpoints.get("ours").secret is None
    assert [row.key for row in client.event_endpoints.list()] == ["ours"]
    client.event_endpoints.delete("ours")


def test_callbacks_come_and_go(client: Client) -> None:
    made = client.callbacks.create("provider")
    assert made.secret.startswith("whsec_") and made.secret not in repr(made)
    assert client.callbacks.get(made.id).name == "provider"
    assert [callback.id for callback in client.callbacks.list()] == [made.id]
    client.callbacks.delete(made.id)
    assert list(client.callbacks.list()) == []


def test_lists_are_fetched_page_by_page(client: Client) -> None:
    everybody = [f"page-{number}" for number in range(5)]
    client.topics.subscribe("paged", everybody)
    members = client.topics.subscriptions("paged", page_size=2)
    pages = list(members.pages())
    assert [len(page.data) for page in pages] == [2, 2, 1]
    assert sorted(member.recipient for member in members) == everybody
    behind_the_first = client.topics.subscriptions("paged", after=pages[0].next)
    assert list(behind_the_first) == [*pages[1].data, *pages[2].data]
    with pytest.raises(ValidationError) as refused:
        next(iter(client.topics.subscriptions("paged", after="nonsense")))
    assert refused.value.pointers == ("/after",)


def test_refusals_say_what_is_wrong(client: Client, service: Platform) -> None:
    with pytest.raises(ValidationError) as invalid:
        client.notifications.send(recipients=[{"id": "u1", "email": "nonsense"}, {"topic": "no key"}], **HELLO)
    assert "/recipients/0/email" in invalid.value.pointers
    assert "/recipients/0/email" in str(invalid.value)
    assert (invalid.value.status, invalid.value.code) == (422, "invalid")
    assert invalid.value.request_id
    with pytest.raises(Unauthorized), Client(service.url, "x" * 40) as stranger:
        stranger.recipients.get("u1")
    with pytest.raises(ValueError, match="empty"):
        client.recipients.delete("")

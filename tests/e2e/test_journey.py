"""The real journey: one POST rings every bell, on real servers, as an operator starts them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from tests.e2e.customer import Customer, submission
from tests.e2e.external import external_servers
from tests.fixtures.platform import Platform, wait_for
from tests.fixtures.receivers import Answer, HttpReceiver, SmtpReceiver

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("journey")]

ALL = ["in_app", "email", "webhook"]


@pytest.fixture
def customer(shop: Platform) -> Customer:
    return Customer(shop)


def travel(customer: Customer, name: str, mails: SmtpReceiver, hooks: HttpReceiver) -> None:
    """One POST to one recipient, three arrivals, three deliveries in a terminal state with their attempts."""
    customer.add_recipient(name, email=f"{name}@example.com", name="Ada")
    endpoint = customer.add_endpoint(name, f"{hooks.url}/{name}")
    with customer.inbox(name) as inbox:
        notification = customer.send([name], ALL, data={"order": 7})
        (message,) = inbox.created(1)
    assert (message["title"], message["body"], message["data"]) == ("Hello", "It **rings**.", {"order": 7})

    (call,) = hooks.calls_to(f"/{name}", 1)
    said = Webhook(endpoint["secret"]).verify(call.body, dict(call.headers))
    assert (said["data"]["title"], said["data"]["recipient"], said["data"]["data"]) == ("Hello", name, {"order": 7})
    assert said["data"]["notification_id"] == notification

    (mail,) = mails.mails.wait_for(1, lambda mail: mail.recipients == [f"{name}@example.com"])
    assert mail.message["subject"] == "Hello"
    html = mail.message.get_body(("html",))
    assert html is not None and "<strong>rings</strong>" in html.get_content()

    rows = {row["channel"]: row for row in customer.finished(notification)}
    assert {channel: (row["state"], row["reason"]) for channel, row in rows.items()} == {
        "in_app": ("delivered", "stored_in_inbox"),
        "email": ("sent", "accepted"),
        "webhook": ("sent", "accepted"),
    }
    assert rows["webhook"]["id"] == call.headers["webhook-id"]
    assert rows["webhook"]["endpoint"] == endpoint["id"]
    for row in rows.values():
        (attempt,) = customer.attempts(row)
        assert (attempt["number"], attempt["outcome"]) == (1, row["reason"])
        assert row["finished_at"] and row["next_attempt_at"] is None
    counts = customer.call("GET", f"/v1/notifications/{notification}", 200)["deliveries"]
    assert {state: count for state, count in counts.items() if count} == {"sent": 2, "delivered": 1}


def test_one_post_rings_every_bell(customer: Customer, post_office: SmtpReceiver, http_receiver: HttpReceiver) -> None:
    travel(customer, "ada", post_office, http_receiver)


def test_the_same_on_external_servers_given_by_url(
    tmp_path: Path,
    post_office: SmtpReceiver,
    http_receiver: HttpReceiver,
    start_platform: Callable[..., Platform],
) -> None:
    with external_servers(tmp_path / "elsewhere") as (database_url, redis_url):
        platform = start_platform(
            env={"DATABASE_URL": database_url, "REDIS_URL": redis_url, "SMTP_URL": post_office.url}
        )
        pids = platform.pids()
        assert not pids["postgres"], "it must use what it was given"
        assert not pids["valkey"], "it must use what it was given"
        travel(Customer(platform), "grace", post_office, http_receiver)
        platform.stop()


def test_a_topic_of_many_and_some_by_name(customer: Customer) -> None:
    members = [f"member-{n}" for n in range(1500)]
    customer.add_topic("crowd", members)
    with customer.inbox("member-7") as inbox:
        notification = customer.send([{"topic": "crowd"}, "member-7", "guest"], ["in_app"])
        inbox.created(1)
        rows = customer.finished(notification)
    assert sorted(row["recipient"] for row in rows) == sorted([*members, "guest"])
    assert {row["state"] for row in rows} == {"delivered"}
    assert len(inbox.changes.all()) == 1


def test_a_repeated_request_is_answered_again_and_sends_once(customer: Customer) -> None:
    body = submission(["repeat"], ["in_app"])
    answers = [
        customer.http.post("/v1/notifications", json=body, headers={"Idempotency-Key": "once"}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", "true"]
    other = submission(["repeat"], ["in_app"], data={"another": "body"})
    customer.call("POST", "/v1/notifications", 422, json=other, headers={"Idempotency-Key": "once"})
    customer.finished(answers[0].json()["id"])
    assert len(customer.call("GET", "/v1/deliveries", 200, params={"recipient": "repeat"})["data"]) == 1


def test_what_is_to_be_sent_later_waits_and_comes_on_time(customer: Customer) -> None:
    customer.add_recipient("later")
    send_at = datetime.now(UTC) + timedelta(seconds=3)
    with customer.inbox("later") as inbox:
        notification = customer.send(["later"], ["in_app"], send_at=send_at.isoformat())
        assert customer.call("GET", f"/v1/notifications/{notification}", 200)["status"] == "accepted"
        assert customer.deliveries(notification) == []
        (message,) = inbox.created(1)
    assert datetime.fromisoformat(message["created_at"]) >= send_at


def test_a_failing_receiver_gets_it_again_with_the_same_id(customer: Customer, http_receiver: HttpReceiver) -> None:
    customer.add_recipient("fails")
    secret = customer.add_endpoint("fails", http_receiver.answer("/fails", Answer(500, body=b"not now"), Answer()))[
        "secret"
    ]
    notification = customer.send(["fails"], ["webhook"])

    def retrying() -> bool:
        return [row["state"] for row in customer.deliveries(notification)] == ["retrying"]

    wait_for(retrying, timeout_seconds=20, what="the delivery to wait for its retry")
    assert customer.deliveries(notification)[0]["next_attempt_at"]
    first, second = http_receiver.calls_to("/fails", 2)
    (row,) = customer.finished(notification)
    assert (row["state"], row["attempt_count"]) == ("sent", 2)
    assert [attempt["outcome"] for attempt in customer.attempts(row)] == ["http_500", "accepted"]
    assert customer.attempts(row)[0]["response"]["body"] == "not now"
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == row["id"]
    assert int(first.headers["webhook-timestamp"]) < int(second.headers["webhook-timestamp"]) <= time.time()
    assert first.body == second.body
    for call in (first, second):
        Webhook(secret).verify(call.body, dict(call.headers))


def test_an_endpoint_that_is_gone_is_disabled(customer: Customer, http_receiver: HttpReceiver) -> None:
    customer.add_recipient("gone")
    endpoint = customer.add_endpoint("gone", http_receiver.answer("/gone", Answer(410)))
    rows = [customer.finished(customer.send(["gone"], ["webhook"]))[0] for _ in range(2)]
    assert [(row["state"], row["reason"]) for row in rows] == [("failed", "gone"), ("failed", "no_endpoint")]
    found = customer.call("GET", f"/v1/recipients/gone/endpoints/{endpoint['id']}", 200)
    assert (found["state"], found["disabled_reason"]) == ("disabled", "gone")
    assert len(http_receiver.calls.all()) == 1


def test_bulk_answers_each_entry_in_order(customer: Customer) -> None:
    good = [submission([f"bulk-{n}"], ["in_app"]) for n in range(20)]
    entries = [*good[:10], {"recipients": []}, submission([{"topic": "no-such-topic"}], ["in_app"]), *good[10:]]
    results = customer.call("POST", "/v1/notifications/bulk", 202, json={"notifications": entries})["data"]
    assert len(results) == 22
    assert [result.get("status") for result in (results[10], results[11])] == [422, 422]
    assert results[11]["errors"][0]["pointer"].endswith("/recipients/0/topic")
    for result in results[:10] + results[12:]:
        (row,) = customer.finished(result["id"])
        assert row["state"] == "delivered"


def test_a_dry_run_says_what_would_happen_and_changes_nothing(customer: Customer, http_receiver: HttpReceiver) -> None:
    customer.add_recipient("dry", email="dry@example.com")
    customer.add_endpoint("dry", f"{http_receiver.url}/dry")
    body = submission(["dry", {"id": "never-made", "email": "n@example.com"}], ALL)
    before = customer.call("GET", "/v1/notifications", 200)["data"]
    plan = customer.call("POST", "/v1/notifications", 200, json=body, params={"dry_run": "true"})
    ways = {way["channel"]: way["delivers"] for way in plan["entries"][0]["recipients"][0]["ways"]}
    assert ways == {"in_app": True, "email": True, "webhook": True}
    assert customer.call("GET", "/v1/notifications", 200)["data"] == before
    assert customer.call("GET", "/v1/deliveries", 200, params={"recipient": "dry"})["data"] == []
    customer.call("GET", "/v1/recipients/never-made", 404)
    assert http_receiver.calls.all() == []


def test_cancelled_in_time_reaches_nobody(customer: Customer) -> None:
    send_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    notification = customer.send(["cancelled"], ["in_app"], send_at=send_at)
    customer.call("POST", f"/v1/notifications/{notification}/cancel", 200)
    found = customer.call("GET", f"/v1/notifications/{notification}", 200)
    assert found["status"] == "cancelled"
    assert customer.deliveries(notification) == []

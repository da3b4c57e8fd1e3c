"""Status events on the real platform: the caller hears of every end, and a callback that hangs slows no delivery."""

import json

import pytest
from standardwebhooks.webhooks import Webhook

from tests.e2e.customer import TERMINAL, Customer, Json
from tests.fixtures.platform import Platform, wait_for
from tests.fixtures.receivers import Answer, HttpReceiver

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("journey")]

HANGS = 20.0
COUNT = 40


@pytest.fixture
def customer(shop: Platform) -> Customer:
    return Customer(shop)


def listen(customer: Customer, key: str, url: str, types: list[str]) -> Json:
    return customer.call("PUT", f"/v1/events/endpoints/{key}", 201, json={"url": url, "types": types})


def test_the_caller_hears_of_every_end_while_another_callback_hangs(
    customer: Customer, http_receiver: HttpReceiver
) -> None:
    ends = [f"delivery.{state}" for state in ("sent", "delivered", "failed")]
    listen(customer, "hangs", http_receiver.answer("/hangs", Answer(delay_seconds=HANGS)), ends)
    quick = listen(customer, "quick", http_receiver.url + "/quick", ends)
    try:
        customer.add_recipient("told")
        customer.add_endpoint("told", http_receiver.url + "/told")
        first = customer.send(["told"], ["in_app", "webhook", "email"])
        http_receiver.calls_to("/hangs", 1)
        rest = [customer.send(["told"], ["in_app", "webhook"]) for _ in range(COUNT)]
        rows = [row for notification in [first, *rest] for row in customer.finished(notification)]
        calls = http_receiver.calls_to("/quick", len(rows))
        assert {row["state"] for row in rows} <= TERMINAL
        said = [Webhook(quick["secret"]).verify(call.body, dict(call.headers)) for call in calls]
        told = {each["data"]["delivery_id"]: (each["type"], each["data"]["reason"]) for each in said}
        assert told == {row["id"]: (f"delivery.{row['state']}", row["reason"]) for row in rows}
        assert {each["data"]["recipient"] for each in said} == {"told"}
        log = customer.call("GET", "/v1/events", 200, params={"limit": 100})["data"]
        # Everything else is done while those that hang still do.
        assert "pending" in {
            each["state"] for event in log for each in event["dispatches"] if each["endpoint"] == "hangs"
        }
        newest = {event["id"]: event for event in log}
        for call in calls[-5:]:
            event = newest[call.headers["webhook-id"]]
            assert event["data"] == json.loads(call.body)["data"]
            assert {each["endpoint"] for each in event["dispatches"]} == {"hangs", "quick"}

        def all_told() -> bool:
            page = customer.call("GET", "/v1/events", 200, params={"limit": 100})["data"]
            states = [each["state"] for event in page for each in event["dispatches"] if each["endpoint"] == "quick"]
            return set(states) == {"delivered"}

        wait_for(all_told, timeout_seconds=30, what="the log to say that everything was told")
    finally:
        for key in ("hangs", "quick"):
            customer.call("DELETE", f"/v1/events/endpoints/{key}", 204)


def test_explain_tells_the_story_of_a_real_notification(customer: Customer, http_receiver: HttpReceiver) -> None:
    customer.add_recipient("story")
    customer.add_endpoint("story", http_receiver.answer("/story", Answer(500, body=b"not now"), Answer()))
    notification = customer.send(["story"], ["in_app", "webhook", "email"])

    def waiting() -> Json | None:
        said = customer.call("GET", f"/v1/notifications/{notification}/explain", 200)
        found = {each["channel"]: each for each in said["data"]}
        return found if found.get("webhook", {}).get("state") == "retrying" else None

    found = wait_for(waiting, timeout_seconds=30, what="the webhook to wait for its retry")
    assert (found["webhook"]["next_attempt"]["why"], found["webhook"]["next_attempt"]["step"]) == ("retry_schedule", 1)
    (attempt,) = [each for each in found["webhook"]["decisions"] if each["code"] == "attempt"]
    assert attempt["detail"]["response"]["body"] == "not now"
    assert (found["email"]["used"], found["email"]["reason"]) == (False, "no_email")
    assert found["email"]["decisions"][0]["code"] == "not_used"
    customer.finished(notification)
    said = customer.call("GET", f"/v1/notifications/{notification}/explain", 200)
    assert said["decisions"][0]["code"] == "accepted"
    assert said["decisions"][0]["detail"]["api_key"] is not None
    assert {each["channel"]: each["state"] for each in said["data"]} == {
        "in_app": "delivered",
        "webhook": "sent",
        "email": "failed",
    }

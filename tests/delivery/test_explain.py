"""What explain says about each stand of a delivery, without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.explain.sentences import explain_delivery
from delivery.models import Attempt, Delivery, DeliveryEvent
from delivery.states import OPEN, State
from notifications.ids import new_uuid
from notifications.models import Recipient

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
LATER = "2030-01-01T12:05:00.000Z"
SCHEDULE = (5.0, 300.0, 1800.0)


def delivery(state: State, reason: str = "", **more: Any) -> Delivery:
    is_open = state in OPEN
    values = {
        "channel": "webhook",
        "recipient": Recipient(external_id="u1"),
        "notification_id": new_uuid(),
        "available_at": NOW + timedelta(minutes=5) if is_open else None,
        "finished_at": None if is_open else NOW + timedelta(minutes=1),
        "created_at": NOW,
        **more,
    }
    return Delivery(state=state, reason=reason, **values)


def attempt(number: int, outcome: str | None, **more: Any) -> Attempt:
    values = {"duration_ms": 84 if outcome else None, "applied": True, "started_at": NOW, **more}
    return Attempt(id=new_uuid(), number=number, outcome=outcome, **values)


@pytest.mark.parametrize(
    ("row", "why", "step", "words"),
    [
        (delivery(State.QUEUED), "due", None, "waits for its turn"),
        (delivery(State.SCHEDULED), "scheduled", None, f"waits for its time, {LATER}"),
        (delivery(State.SENDING), "lease", None, f"another takes over at {LATER}"),
        (delivery(State.RETRYING, "http_503", retry_step=2), "retry_schedule", 2, "step 2 of 3 of the schedule"),
        (delivery(State.RETRYING, "connect_timeout", retry_step=1), "retry_schedule", 1, "step 1 of 3"),
        (delivery(State.RETRYING, "connect_timeout", channel="email"), "provider_pause", None, "uses no retry step"),
        (delivery(State.RETRYING, "authentication_refused", channel="email"), "provider_pause", None, "paused"),
    ],
)
def test_what_is_open_says_when_it_is_looked_at_and_why_then(
    row: Delivery, why: str, step: int | None, words: str
) -> None:
    said = explain_delivery(row, [], SCHEDULE)
    assert said["next_attempt"]["why"] == why
    assert (said["next_attempt"]["at"], said["next_attempt"]["step"], said["next_attempt"]["steps"]) == (LATER, step, 3)
    assert words in said["next_attempt"]["summary"]
    assert words in said["summary"]
    assert said["used"] is True


def test_a_channel_that_was_not_used_says_why_and_who_can_change_that() -> None:
    said = explain_delivery(delivery(State.FAILED, "no_endpoint", finished_at=NOW), [], SCHEDULE)
    assert (said["used"], said["actor"], said["next_attempt"]) == (False, "caller", None)
    assert [each["code"] for each in said["decisions"]] == ["not_used", "ended"]
    assert said["decisions"][0]["summary"] == (
        "Webhook was not used: The recipient has no enabled endpoint on this channel."
    )


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.EXPIRED, "expires_at_passed"),
        (State.CANCELLED, "cancelled_by_caller"),
        (State.FAILED, "endpoint_disabled"),
    ],
)
def test_what_ended_untried_says_so(state: State, reason: str) -> None:
    said = explain_delivery(delivery(state, reason), [], SCHEDULE)
    assert said["used"] is False
    assert said["decisions"][-1]["detail"] == {"state": state, "reason": reason}
    assert said["summary"].startswith(f"Webhook to u1 is {state}: ")


def test_attempts_are_told_in_order_with_their_answers() -> None:
    tried = [
        attempt(1, "http_503", response={"status": 503}),
        attempt(2, "http_500", applied=False),
        attempt(3, "accepted"),
    ]
    said = explain_delivery(delivery(State.SENT, "accepted"), tried, SCHEDULE)
    _, first, late, last, end = said["decisions"]
    assert first["detail"]["response"] == {"status": 503}
    assert (
        first["summary"]
        == "Attempt 1 ended after 84 ms with http_503: The receiver answered with status 503 Service Unavailable."
    )
    assert "too late" in late["summary"]
    assert (last["detail"]["number"], last["detail"]["outcome"], end["code"]) == (3, "accepted", "ended")


def test_what_was_told_after_the_end_comes_after_it() -> None:
    told = DeliveryEvent(type="bounce", source="dsn", status="5.1.1", detail="550 nobody", occurred_at=NOW)
    said = explain_delivery(delivery(State.FAILED, "bounced"), [attempt(1, "accepted")], SCHEDULE, events=[told])
    assert [each["code"] for each in said["decisions"]][-2:] == ["ended", "event"]
    assert said["decisions"][-1]["summary"] == "It was reported as bounce (dsn, 5.1.1)."


def test_an_attempt_without_an_outcome_is_under_way_or_dead() -> None:
    said = explain_delivery(delivery(State.SENDING), [attempt(1, None)], SCHEDULE)
    assert said["decisions"][-1]["summary"].startswith("Attempt 1 is under way, or its process died")


def test_what_had_to_wait_says_until_when_and_for_what_even_after_it_was_sent() -> None:
    decided = {"level": "category", "waits_for": "quiet_hours", "until": LATER}
    said = explain_delivery(delivery(State.SENT, "accepted", decision=decided), [attempt(1, "accepted")], SCHEDULE)
    assert [each["code"] for each in said["decisions"]] == ["used", "deferred", "attempt", "ended"]
    assert "The preference 'category' lets it through." in said["decisions"][0]["summary"]
    assert said["decisions"][1]["summary"] == (
        f"Webhook was not to go before {LATER}: It came in the recipient's quiet hours."
    )
    assert said["decisions"][1]["detail"] == {"until": LATER, "reason": "quiet_hours"}


def test_the_condition_that_held_and_the_provider_that_took_it_are_named() -> None:
    row = delivery(State.SENT, "accepted", channel="email", step="mail")
    tried = [attempt(1, "accepted", response={"code": 250, "provider": "relay"})]
    said = explain_delivery(row, tried, SCHEDULE, condition={"!": {"var": "steps.bell.seen"}})
    assert "Its condition, not steps.bell.seen, held." in said["decisions"][0]["summary"]
    assert "by provider 'relay'" in said["decisions"][1]["summary"]

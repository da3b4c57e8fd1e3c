"""What the Python client decides without a server: retries, errors, reading, webhooks. The network is httpx's mock transport."""

import base64
import hmac
import pickle
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from carillon_client import (
    ApiError,
    Client,
    Conflict,
    NoAnswer,
    NotFound,
    RateLimited,
    RetryPolicy,
    ServerError,
    Unavailable,
    UnexpectedAnswer,
    Webhook,
    WebhookVerificationError,
)
from carillon_client.retries import read_retry_after

AT_ONCE = RetryPolicy(first_pause_seconds=0)
TOPIC = {"key": "t1", "name": "Team 1", "created_at": "2026-01-31T09:00:00Z"}
SECRETS = [f"whsec_{base64.b64encode(bytes([number] * 32)).decode()}" for number in range(3)]
BODY = b'{"type":"ping","timestamp":"2026-01-31T09:00:00.123456Z","data":{"recipient":"u1"},"more":1}'
NOW = 1_769_850_000

Answers = Callable[..., tuple[Client, list[httpx.Request]]]


@pytest.fixture
def answering() -> Answers:
    """A client whose requests get these answers in turn, errors raised, and the requests it made."""

    def make(
        *answers: httpx.Response | Exception, retries: RetryPolicy = AT_ONCE
    ) -> tuple[Client, list[httpx.Request]]:
        asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            said = answers[len(asked) - 1]
            if isinstance(said, Exception):
                raise said
            return said

        http = httpx.Client(transport=httpx.MockTransport(answer))
        return Client("http://carillon.test/", "k" * 32, retries=retries, http=http), asked

    return make


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"status": status, "code": code, "detail": "Why."}, headers=fields)


def test_every_try_of_a_call_is_the_same_request(answering: Answers) -> None:
    client, asked = answering(
        problem(503, "unavailable", retry_after="0"),
        httpx.Response(502, text="<html>"),
        problem(409, "in_flight"),
        problem(429, "rate_limited"),
        httpx.ReadTimeout("late"),
        httpx.Response(200, json={"added": 1}),
    )
    assert client.topics.subscribe("t1", ["u1"]).added == 1
    assert len({(str(each.url), each.content, each.headers["idempotency-key"]) for each in asked}) == 1
    assert len(asked) == 6


def test_reads_and_puts_carry_no_key(answering: Answers) -> None:
    client, asked = answering(httpx.Response(200, json=TOPIC), httpx.Response(201, json=TOPIC))
    assert client.topics.get("t1") == client.topics.put("t1", name="Team 1")
    assert ["idempotency-key" in each.headers for each in asked] == [False, False]
    assert [each.headers["authorization"] for each in asked] == [f"Bearer {'k' * 32}"] * 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(404, "not_found"), NotFound),
        (problem(409, "conflict"), Conflict),
        (problem(500, "internal"), ServerError),
        (httpx.Response(418, text="tea"), ApiError),
        (httpx.Response(302, headers={"location": "/login"}), ApiError),
        (httpx.UnsupportedProtocol("gopher"), NoAnswer),
        (httpx.Response(200, text="<html>Log in</html>"), UnexpectedAnswer),
        (httpx.Response(200, json={"key": 1}), UnexpectedAnswer),
        (problem(429, "rate_limited", retry_after="3600"), RateLimited),
    ],
)
def test_what_would_not_help_is_not_tried_again(
    answering: Answers, answer: httpx.Response | Exception, error: type[Exception]
) -> None:
    client, asked = answering(answer)
    with pytest.raises(error) as raised:
        client.topics.get("t1")
    assert type(raised.value) is error
    assert len(asked) == 1


def test_after_the_last_try_the_refusal_is_told(answering: Answers) -> None:
    refusal = problem(503, "unavailable", retry_after="0", x_request_id="r1")
    client, asked = answering(*[refusal] * 3, retries=RetryPolicy(attempts=3, first_pause_seconds=0))
    with pytest.raises(Unavailable) as raised:
        client.tokens.create("u1", idempotency_key="mine")
    assert len(asked) == 3
    error = pickle.loads(pickle.dumps(raised.value))
    assert (error.retry_after, error.request_id, error.idempotency_key) == (0.0, "r1", "mine")
    assert str(error) == "503 unavailable: Why."


def test_a_removal_that_is_not_there_at_the_first_try_is_an_error(answering: Answers) -> None:
    client, _ = answering(problem(404, "not_found"), httpx.ReadError("cut"), problem(404, "not_found"))
    with pytest.raises(NotFound):
        client.topics.delete("t1")
    client.topics.delete("t1")


def test_pauses_double_are_jittered_and_end() -> None:
    policy = RetryPolicy(attempts=5, first_pause_seconds=1, longest_pause_seconds=3, longest_retry_after_seconds=60)
    assert [policy.pause(tried, chance=lambda: 1.0) for tried in range(1, 6)] == [1, 2, 3, 3, None]
    assert policy.pause(1, chance=lambda: 0.0) == 0
    assert policy.pause(1, 30, chance=lambda: 0.5) == 30.5
    assert policy.pause(1, 61) is None
    assert len({policy.pause(1) for _ in range(20)}) > 1
    with pytest.raises(ValueError):
        RetryPolicy(attempts=0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("Sat, 31 Jan 2026 09:00:30 GMT", 30.0),
        ("Sat, 31 Jan 2026 08:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read(text: str | None, seconds: float | None) -> None:
    assert read_retry_after(text, datetime(2026, 1, 31, 9, tzinfo=UTC)) == seconds


def test_a_newer_server_may_say_more(answering: Answers) -> None:
    client, _ = answering(httpx.Response(200, json={**TOPIC, "colour": "blue"}))
    assert client.topics.get("t1").name == "Team 1"


def test_names_are_one_segment_of_the_path(answering: Answers) -> None:
    client, asked = answering(httpx.Response(204))
    client.recipients.delete("a/../b?c#d%2F ä")
    assert asked[0].url.raw_path == b"/v1/recipients/a%2F..%2Fb%3Fc%23d%252F%20%C3%A4"


def signed(*secrets: str, at: int = NOW, body: bytes = BODY) -> dict[str, str]:
    """Headers as the specification says, made here from its words."""
    keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
    text = b"dlv_1." + str(at).encode() + b"." + body
    signatures = ["v1," + base64.b64encode(hmac.digest(key, text, "sha256")).decode() for key in keys]
    return {"Webhook-Id": "dlv_1", "WEBHOOK-TIMESTAMP": str(at), "webhook-signature": " ".join(signatures)}


@pytest.mark.parametrize(("ours", "theirs"), [([0], [0]), ([0, 1], [1]), ([0], [1, 0]), ([2, 1], [0, 1])])
def test_any_key_may_fit_any_signature(ours: list[int], theirs: list[int]) -> None:
    webhook = Webhook(*(SECRETS[index] for index in ours))
    event = webhook.verify(BODY, signed(*(SECRETS[index] for index in theirs)), now=NOW + 299)
    assert (event.id, event.type, event.data, event.timestamp.year) == ("dlv_1", "ping", {"recipient": "u1"}, 2026)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,ä"},
        {"webhook-signature": signed(SECRETS[1])["webhook-signature"]},
        {"webhook-signature": signed(SECRETS[0])["webhook-signature"].replace("v1,", "v1a,")},
        {"WEBHOOK-TIMESTAMP": str(NOW + 1)},
        {"WEBHOOK-TIMESTAMP": ""},
        {"WEBHOOK-TIMESTAMP": "9" * 400},
        {"WEBHOOK-TIMESTAMP": "1e9"},
        {"Webhook-Id": "dlv_2"},
        {"Webhook-Id": ""},
        signed(SECRETS[0], at=NOW - 301),
        signed(SECRETS[0], at=NOW + 301),
    ],
)
def test_what_is_not_signed_so_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(WebhookVerificationError) as refused:
        Webhook(SECRETS[0]).verify(BODY, signed(SECRETS[0]) | changes, now=NOW)
    assert SECRETS[0] not in str(refused.value)


def test_a_signed_body_that_is_no_webhook_is_refused() -> None:
    with pytest.raises(WebhookVerificationError, match="signed"):
        Webhook(SECRETS[0]).verify(b"[]", signed(SECRETS[0], body=b"[]"), now=NOW)


@pytest.mark.parametrize("key", ["", "whsec_", "whsec_short", "whsec_*", "whsk_" + "A" * 88, "sk_" + "A" * 44])
def test_what_is_no_key_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        Webhook(key)

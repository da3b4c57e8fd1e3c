"""The webhook transport and a decent receiver."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from standardwebhooks import Webhook

from delivery.transports.base import Content, Outbound, PermanentFailure, TemporaryFailure
from delivery.transports.webhook.conf import WebhookConf
from delivery.transports.webhook.signing import generate_secret
from delivery.transports.webhook.transport import WebhookTransport
from tests.delivery.transports.contract import TransportContract
from tests.delivery.transports.outbounds import SECRET
from tests.delivery.transports.servers import free_port
from tests.delivery.transports.webhook.receivers import LOOPBACK, hook, loopback_transport, receiver


class TestContract(TransportContract):
    port = 0

    def make_transport(self) -> WebhookTransport:
        self.port = self.port or free_port()
        return WebhookTransport(WebhookConf(allow_networks=LOOPBACK))

    @asynccontextmanager
    async def serving(self, **answer: Any) -> AsyncIterator[Outbound]:
        async with receiver(self.port, **answer):
            yield self.absent()

    def accepting(self) -> Any:
        return self.serving(text="thanks")

    def refusing(self) -> Any:
        return self.serving(status=503, text="later")

    def absent(self) -> Outbound:
        return hook(f"http://127.0.0.1:{self.port}/hook?token=sesame")

    def broken(self) -> Outbound:
        return hook("https://ada:sesame@example.com/")

    def secrets(self) -> tuple[str, ...]:
        return (SECRET, SECRET[6:], "sesame", "kettle")


async def test_the_receiver_can_verify_what_arrives() -> None:
    rotated = (generate_secret(), generate_secret())
    outbound_changes: dict[str, Any] = {"secrets": rotated, "content": Content(title="Größe ✓", body="**b**")}
    async with receiver() as there, loopback_transport() as transport:
        receipt = await transport.send(transport.render(hook(there.url(), **outbound_changes)))
    ((headers, body),) = there.requests
    for secret in rotated:
        Webhook(secret).verify(body, headers)
    assert json.loads(body) == {
        "type": "order-shipped",
        "timestamp": "2026-11-22T13:37:54.250000Z",
        "data": {
            "notification_id": "ntf_0192f0",
            "delivery_id": "dlv_0192f3",
            "recipient": "u1",
            "title": "Größe ✓",
            "body": "**b**",
            "action_url": None,
            "category": "orders",
            "data": {"order": 1234},
        },
    }
    assert headers["webhook-id"] == "dlv_0192f3"
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith("Carillon")
    assert receipt.response["status"] == 200
    assert receipt.response["body"] == "ok"


async def test_every_attempt_has_the_same_id_and_its_own_valid_signature() -> None:
    async with receiver() as there, loopback_transport() as transport:
        for attempt in (1, 2):
            await transport.send(transport.render(hook(there.url(), attempt=attempt)))
    for headers, body in there.requests:
        Webhook(SECRET).verify(body, headers)
    assert {headers["webhook-id"] for headers, _ in there.requests} == {"dlv_0192f3"}


async def test_connections_are_kept() -> None:
    async with receiver() as there, loopback_transport() as transport:
        payload = transport.render(hook(there.url()))
        for _ in range(10):
            await transport.send(payload)
        assert len(there.peers) == 1


async def test_nothing_is_remembered_of_an_answer() -> None:
    async with receiver(text="ok", headers={"set-cookie": "id=1; Path=/"}) as there, loopback_transport() as transport:
        for _ in range(2):
            await transport.send(transport.render(hook(there.url())))
    assert all("cookie" not in headers for headers, _ in there.requests)


async def test_redirects_are_not_followed() -> None:
    async with receiver() as target:
        async with (
            receiver(status=307, headers={"location": target.url()}) as there,
            loopback_transport() as transport,
        ):
            with pytest.raises(PermanentFailure) as caught:
                await transport.send(transport.render(hook(there.url())))
        assert not target.requests
    assert caught.value.reason == "redirect"


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy, receiver() as there, loopback_transport() as transport:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await transport.send(transport.render(hook(there.url())))
        assert not proxy.requests


async def test_gone_disables_the_endpoint_and_busy_says_when() -> None:
    async with receiver() as there, loopback_transport() as transport:
        payload = transport.render(hook(there.url()))
        there.answer = {"status": 410}
        with pytest.raises(PermanentFailure) as gone:
            await transport.send(payload)
        there.answer = {"status": 429, "headers": {"retry-after": "7"}, "text": "slow down"}
        with pytest.raises(TemporaryFailure) as busy:
            await transport.send(payload)
    assert gone.value.disable_endpoint
    assert busy.value.retry_after == 7
    assert busy.value.response["headers"]["retry-after"] == "7"
    assert busy.value.response["body"] == "slow down"


def test_times_are_said_in_utc() -> None:
    transport = WebhookTransport(WebhookConf())
    at = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    payload = transport.render(hook("https://example.com/", created_at=at))
    assert json.loads(payload.body)["timestamp"] == "2026-11-21T20:00:00Z"


@pytest.mark.parametrize("secrets", [(), ("whsec_short",), (SECRET, "nonsense")])
def test_without_proper_secrets_nothing_is_sent(secrets: tuple[str, ...]) -> None:
    transport = WebhookTransport(WebhookConf())
    with pytest.raises(PermanentFailure) as caught:
        transport.render(hook("https://example.com/", secrets=secrets))
    assert caught.value.reason == "invalid_secret"


@pytest.mark.parametrize("data", [{"x": object()}, {"x": "\ud800"}, {1.5: {(): 1}}])
def test_what_is_not_json_cannot_be_said(data: dict[Any, Any]) -> None:
    transport = WebhookTransport(WebhookConf())
    with pytest.raises(PermanentFailure) as caught:
        transport.render(hook("https://example.com/", data=data))
    assert caught.value.reason == "unrenderable"


@pytest.mark.parametrize(
    "changes",
    [
        {"allow_networks": ("everything",)},
        {"timeout_seconds": 0},
        {"connect_timeout_seconds": 30},
        {"dns_timeout_seconds": 0},
        {"keepalive_seconds": -1},
        {"max_response_bytes": 1},
        {"max_in_flight": 0},
        {"user_agent": "x\r\ny"},
    ],
)
def test_nonsense_in_the_configuration_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        WebhookConf(**changes)

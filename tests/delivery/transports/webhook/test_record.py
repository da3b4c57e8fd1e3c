"""What is kept of a request, and how it is shown again."""

import json

import pytest

from delivery.transports.webhook.conf import WebhookConf
from delivery.transports.webhook.record import mask_url, show_request
from delivery.transports.webhook.transport import WebhookTransport
from notifications.signing_keys import new_key_pair
from tests.delivery.transports.outbounds import SECRET
from tests.delivery.transports.webhook.receivers import hook, loopback_transport, receiver

OWN = {"authorization": "Bearer sesame", "x-tenant": "kettle"}


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://example.com/a", "https://example.com/a"),
        ("https://example.com/a?token=sesame", "https://example.com/a?token=********"),
        ("https://example.com/a?b=1&c=&b=2", "https://example.com/a?b=********&c=********&b=********"),
        ("https://example.com/a?sesame", "https://example.com/a?********"),
        ("https://example.com/?%20x=1", "https://example.com/?%20x=********"),
    ],
)
def test_values_of_the_query_are_hidden(url: str, masked: str) -> None:
    assert mask_url(url) == masked


def test_the_record_is_small_and_holds_no_secret() -> None:
    transport = WebhookTransport(WebhookConf())
    private, _ = new_key_pair()
    url = "https://example.com/hook?token=sesame"
    payload = transport.render(hook(url, secrets=(SECRET, private), headers=OWN))
    record = transport.describe(payload)
    stored = json.dumps(record)
    for secret in ("sesame", "kettle", SECRET[6:], private[5:], "v1,", "v1a,"):
        assert secret not in stored
    assert len(stored) < 350
    assert (record["signatures"], record["headers"]) == (["v1", "v1a"], ["authorization", "x-tenant"])
    assert "sesame" not in repr(payload)


def test_it_is_shown_as_it_went_out_with_masks() -> None:
    transport = WebhookTransport(WebhookConf())
    payload = transport.render(hook("https://example.com/hook", headers=OWN))
    record = transport.describe(payload)
    shown = show_request(record, delivery_id="dlv_1", body=payload.body)
    assert shown["headers"] == {
        "authorization": "********",
        "x-tenant": "********",
        "content-type": "application/json",
        "webhook-id": "dlv_1",
        "webhook-signature": "v1,********",
    }
    assert (shown["method"], shown["url"]) == ("POST", "https://example.com/hook")
    assert json.loads(shown["body"])["type"] == "order-shipped"
    assert show_request(record, delivery_id="dlv_1", body=payload.body + b" ")["body"] is None
    assert show_request(record, delivery_id="dlv_1", body=None)["body"] is None


async def test_a_receiver_that_echoes_own_headers_leaves_no_secret_behind() -> None:
    echo = "x" * 4090 + "sesame authorization: Bearer sesame, alone: sesame; x-tenant: kettle"
    async with (
        receiver(text=echo, headers={"location": "/?t=kettle"}) as there,
        loopback_transport() as transport,
    ):
        receipt = await transport.send(transport.render(hook(there.url(), headers=OWN)))
        plain = await transport.send(transport.render(hook(there.url())))
    assert receipt.response["body"] == "x" * 4090 + "******"
    assert "kettle" not in str(receipt.response) and "sesa" not in str(receipt.response)
    assert plain.response["body"] == echo[:4096]


async def test_own_headers_travel_and_ours_stay_ours() -> None:
    async with receiver() as there, loopback_transport() as transport:
        fooled = {**OWN, "webhook-id": "forged", "content-type": "text/plain", "user-agent": "x"}
        await transport.send(transport.render(hook(there.url(), headers=fooled)))
    ((headers, _),) = there.requests
    assert (headers["authorization"], headers["x-tenant"]) == ("Bearer sesame", "kettle")
    assert (headers["webhook-id"], headers["content-type"]) == ("dlv_0192f3", "application/json")
    assert headers["user-agent"].startswith("Carillon")

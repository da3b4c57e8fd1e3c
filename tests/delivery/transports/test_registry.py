"""Transports by dotted path."""

from dataclasses import dataclass
from typing import Any

import pytest

from delivery.transports.email.conf import EmailConf
from delivery.transports.registry import InvalidTransport, load
from delivery.transports.webhook.conf import WebhookConf

EMAIL = "delivery.transports.email.transport.EmailTransport"
WEBHOOK = "delivery.transports.webhook.transport.WebhookTransport"


@dataclass(frozen=True)
class Setting:
    path: str
    conf: Any


async def test_each_channel_gets_its_transport() -> None:
    conf = EmailConf(smtp_urls="smtp://localhost", from_address="a@example.com")
    transports = load({"email": Setting(EMAIL, conf), "webhook": Setting(WEBHOOK, WebhookConf())})
    assert {channel: transport.channel for channel, transport in transports.items()} == {
        "email": "email",
        "webhook": "webhook",
    }
    for transport in transports.values():
        await transport.aclose()


@pytest.mark.parametrize(
    ("channel", "path", "conf"),
    [
        ("email", "no.such.module.Transport", None),
        ("email", "delivery.transports.email.transport.Nothing", None),
        ("email", "Transport", None),
        ("email", WEBHOOK, WebhookConf()),
        ("webhook", WEBHOOK, None),
    ],
)
def test_wrong_settings_name_the_channel(channel: str, path: str, conf: Any) -> None:
    with pytest.raises(InvalidTransport, match=channel):
        load({channel: Setting(path, conf)})

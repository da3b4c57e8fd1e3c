"""Which transport serves which channel, each with its configuration. Adding a channel is an entry here, no migration."""

from collections.abc import Mapping
from email.utils import parseaddr

from delivery.conf import TransportSettings
from delivery.transports.email.conf import EmailConf
from delivery.transports.webhook.conf import WebhookConf


def transport_settings(
    *, smtp_url: str, mail_from: str, webhook_allow: tuple[str, ...], user_agent: str, bounce_address: str = ""
) -> Mapping[str, TransportSettings]:
    """The transports of this installation by channel; without a mail server there is no `email`."""
    name, address = parseaddr(mail_from)
    transports = {
        "webhook": TransportSettings(
            path="delivery.transports.webhook.transport.WebhookTransport",
            conf=WebhookConf(allow_networks=webhook_allow, user_agent=user_agent),
        )
    }
    if smtp_url:
        transports["email"] = TransportSettings(
            path="delivery.transports.email.transport.EmailTransport",
            conf=EmailConf(
                smtp_urls=smtp_url,
                from_address=address,
                from_name=name or "Carillon",
                envelope_sender=bounce_address or None,
            ),
        )
    return transports

"""Which transport serves which channel, each with its configuration. Adding a channel is an entry here, no migration."""

from collections.abc import Mapping
from email.utils import parseaddr

from delivery.conf import TransportSettings
from delivery.transports.email.conf import EmailConf
from delivery.transports.webhook.conf import WebhookConf


def transport_settings(
    *, smtp_url: str, catches_mail: bool, mail_from: str, webhook_allow: tuple[str, ...], user_agent: str
) -> Mapping[str, TransportSettings]:
    """The transports of this installation by channel; servers for `email` may also come from the admin."""
    name, address = parseaddr(mail_from)
    return {
        "email": TransportSettings(
            path="delivery.transports.email.transport.EmailTransport",
            conf=EmailConf(
                smtp_urls=smtp_url, is_catcher=catches_mail, from_address=address, from_name=name or "Carillon"
            ),
        ),
        "webhook": TransportSettings(
            path="delivery.transports.webhook.transport.WebhookTransport",
            conf=WebhookConf(allow_networks=webhook_allow, user_agent=user_agent),
        ),
    }

"""Which transport serves which channel, each with its configuration. Adding a channel is an entry here, no migration."""

from collections.abc import Iterable, Mapping
from email.utils import parseaddr
from pathlib import Path

from delivery.conf import TransportSettings
from delivery.transports.base import SigningKey
from delivery.transports.email.conf import EmailConf
from delivery.transports.email.signing_keys import check_signing_key
from delivery.transports.fetch import FetchConf
from delivery.transports.webhook.conf import WebhookConf
from deploy.config import ConfigError


def transport_settings(
    *,
    smtp_url: str,
    catches_mail: bool,
    mail_from: str,
    webhook_allow: tuple[str, ...],
    user_agent: str,
    signing_keys: tuple[SigningKey, ...] = (),
    bounce_address: str = "",
) -> Mapping[str, TransportSettings]:
    """The transports of this installation by channel; servers for `email` may also come from the admin."""
    name, address = parseaddr(mail_from)
    return {
        "email": TransportSettings(
            path="delivery.transports.email.transport.EmailTransport",
            conf=EmailConf(
                smtp_urls=smtp_url,
                is_catcher=catches_mail,
                from_address=address,
                from_name=name or "Carillon",
                signing_keys=signing_keys,
                fetch=FetchConf(allow_networks=webhook_allow, user_agent=user_agent),
                envelope_sender=bounce_address or None,
            ),
        ),
        "webhook": TransportSettings(
            path="delivery.transports.webhook.transport.WebhookTransport",
            conf=WebhookConf(allow_networks=webhook_allow, user_agent=user_agent),
        ),
    }


def read_signing_keys(entries: Iterable[str]) -> tuple[SigningKey, ...]:
    """DKIM keys from `domain:selector:path` entries; raises ConfigError for what is not there or no key."""
    keys = []
    for entry in entries:
        domain, _, rest = entry.partition(":")
        selector, _, path = rest.partition(":")
        try:
            key = SigningKey(domain.lower(), selector.lower(), Path(path).read_text())
            check_signing_key(key)
        except OSError as error:
            raise ConfigError(f"CARILLON_DKIM_KEYS: cannot read {path!r}: {error.strerror}") from error
        except ValueError as error:
            raise ConfigError(f"CARILLON_DKIM_KEYS: {error}") from error
        keys.append(key)
    return tuple(keys)

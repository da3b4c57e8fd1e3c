"""Which transport serves which channel, each with its configuration."""

from collections.abc import Mapping

from delivery.conf import TransportSettings


def transport_settings(
    *, smtp_urls: tuple[str, ...], mail_from: str, webhook_allow: tuple[str, ...]
) -> Mapping[str, TransportSettings]:
    """The channels of this installation; adding one is an entry here, no migration."""
    return {}

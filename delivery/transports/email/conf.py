"""Settings of the email transport."""

from dataclasses import dataclass, field

from delivery.transports.base import SigningKey
from delivery.transports.email.addresses import parse_mailbox
from delivery.transports.email.signing_keys import check_signing_key
from delivery.transports.email.urls import parse_smtp_urls
from delivery.transports.fetch import FetchConf


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailConf:
    """`smtp_urls` as in `urls.py`, empty when all servers are configured elsewhere; `from_address` is what recipients see.

    `local_hostname` is what we call ourselves to the server; without it, the domain of `from_address`.
    """

    smtp_urls: str = field(repr=False)
    is_catcher: bool = False
    """The servers of `smtp_urls` only keep mail: they are not asked where there is another."""
    from_address: str
    from_name: str = "Carillon"
    envelope_sender: str | None = None
    """Where bounces go (MAIL FROM); without it, `from_address`."""
    local_hostname: str | None = None
    max_connections: int = 8
    """Per process, to the server in use."""
    max_messages_per_connection: int = 100
    max_idle_seconds: float = 30.0
    connect_timeout_seconds: float = 5.0
    timeout_seconds: float = 20.0
    """For an attempt as a whole, connecting included."""
    server_pause_seconds: float = 10.0
    """How long a server that could not be used is passed over; doubled when it still cannot be used, up to"""
    max_server_pause_seconds: float = 600.0
    authentication_pause_seconds: float = 60.0
    """The same for one that refuses our login, which somebody has to mend."""
    signing_keys: tuple[SigningKey, ...] = field(default=(), repr=False)
    """DKIM keys from files; a delivery's own keys for the sender's domain come before them."""
    fetch: FetchConf = field(default_factory=FetchConf)
    """Attachments."""

    def __post_init__(self) -> None:
        if self.smtp_urls.strip():
            parse_smtp_urls(self.smtp_urls)
        if parse_mailbox(self.from_address).needs_smtputf8:
            raise ValueError("from_address must be ASCII before the @")
        if self.envelope_sender is not None and parse_mailbox(self.envelope_sender).needs_smtputf8:
            raise ValueError("envelope_sender must be ASCII before the @")
        if any(character < " " or character == "\x7f" for character in self.from_name):
            raise ValueError("from_name must not hold control characters")
        if self.local_hostname is not None and (not self.local_hostname.isascii() or " " in self.local_hostname):
            raise ValueError("local_hostname must be ASCII without spaces")
        for key in self.signing_keys:
            check_signing_key(key)
        if self.max_connections < 1 or self.max_messages_per_connection < 1:
            raise ValueError("max_connections and max_messages_per_connection must be at least 1")
        if self.max_idle_seconds <= 0 or self.server_pause_seconds <= 0 or self.authentication_pause_seconds <= 0:
            raise ValueError("max_idle_seconds and the pauses must be above 0")
        if not 0 < self.connect_timeout_seconds <= self.timeout_seconds:
            raise ValueError("connect_timeout_seconds must be above 0 and not above timeout_seconds")

"""The ways back, read from the environment."""

from email.utils import parseaddr

from delivery.feedback.conf import BounceConf, ImapMailbox, parse_imap_url
from delivery.transports.email.addresses import InvalidAddress, parse_mailbox
from deploy.config import MAIL_FROM, ConfigError, Environment


def bounce_settings(environment: Environment) -> BounceConf:
    """Raises ConfigError by the variable's name, and never with its value: the URL holds a password."""
    return BounceConf(
        address=_address(environment.text("CARILLON_BOUNCE_ADDRESS", "")),
        sender=parseaddr(environment.text("CARILLON_MAIL_FROM", MAIL_FROM))[1],
        listen=read_listen(environment),
        mailbox=_mailbox(environment.text("CARILLON_BOUNCE_IMAP_URL", "")),
    )


def _address(value: str) -> str:
    try:
        return parse_mailbox(value).spec if value else ""
    except InvalidAddress as error:
        raise ConfigError(
            f"CARILLON_BOUNCE_ADDRESS must be a bare address such as bounces@example.com: {error}"
        ) from None


def read_listen(environment: Environment) -> tuple[str, int] | None:
    """`host:port` of CARILLON_BOUNCE_LISTEN, an IPv6 host in brackets."""
    value = environment.text("CARILLON_BOUNCE_LISTEN", "")
    if not value:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ConfigError(f"CARILLON_BOUNCE_LISTEN must look like 0.0.0.0:2525, not {value!r}")
    return host.strip("[]"), int(port)


def _mailbox(url: str) -> ImapMailbox | None:
    try:
        return parse_imap_url(url) if url else None
    except ValueError as error:
        raise ConfigError(f"CARILLON_BOUNCE_IMAP_URL {error}") from None

"""The ways back, read from the environment."""

from delivery.feedback.conf import BounceConf, ImapMailbox, parse_imap_url
from deploy.config import ConfigError, Environment


def bounce_settings(environment: Environment) -> BounceConf:
    """Raises ConfigError by the variable's name, and never with its value: the URL holds a password."""
    return BounceConf(
        address=environment.text("CARILLON_BOUNCE_ADDRESS", ""),
        listen=read_listen(environment),
        mailbox=_mailbox(environment.text("CARILLON_BOUNCE_IMAP_URL", "")),
    )


def read_listen(environment: Environment) -> tuple[str, int] | None:
    """`host:port` of CARILLON_BOUNCE_LISTEN, an IPv6 host in brackets."""
    value = environment.text("CARILLON_BOUNCE_LISTEN", "")
    if not value:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"CARILLON_BOUNCE_LISTEN must look like 0.0.0.0:2525, not {value!r}")
    return host.strip("[]"), int(port)


def _mailbox(url: str) -> ImapMailbox | None:
    try:
        return parse_imap_url(url) if url else None
    except ValueError as error:
        raise ConfigError(f"CARILLON_BOUNCE_IMAP_URL {error}") from None

"""SMTP servers as providers: configurations of kind `smtp`, from `SMTP_URL` or made elsewhere, and what they mean.

settings    host, port; `security`: `tls` (from the first byte), `starttls` (demanded), `if_offered` or `none`;
            `verify` (certificates; true), `username`, `from_address`, `max_connections`, `timeout_seconds` (optional)
secrets     `password`, where there is a `username`
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from delivery.transports.email.addresses import InvalidAddress, parse_mailbox
from delivery.transports.email.urls import SmtpServer, parse_smtp_urls
from delivery.transports.providers import ProviderConfig

KIND: Final = "smtp"
FIRST_POSITION: Final = 100
"""Of the servers of `SMTP_URL`; others may stand before or behind them."""

SECURITY: Final[Mapping[str, tuple[bool, bool | None]]] = {
    "starttls": (False, True),
    "tls": (True, False),
    "if_offered": (False, None),
    "none": (False, False),
}
"""`SmtpServer`'s `tls` and `starttls`."""

_NAMESPACE: Final = UUID("6f0a2b52-6a0f-4c2e-9d0e-5b3a1c1f7c11")
_OPTIONAL: Final = {"from_address", "max_connections", "timeout_seconds", "username", "verify"}


def standing_providers(smtp_urls: str, *, want_of_better: bool) -> tuple[ProviderConfig, ...]:
    """The servers of `SMTP_URL`; their ids are the same in every process and after every start."""
    servers = dict.fromkeys(parse_smtp_urls(smtp_urls) if smtp_urls.strip() else ())
    return tuple(
        ProviderConfig(
            id=uuid5(_NAMESPACE, f"{server.username or ''}@{server.name}"),
            kind=KIND,
            name=server.name,
            settings=_settings(server),
            secrets={} if server.password is None else {"password": server.password},
            position=FIRST_POSITION + number,
            want_of_better=want_of_better,
        )
        for number, server in enumerate(servers)
    )


def server_of(config: ProviderConfig) -> SmtpServer:
    """The server that a configuration means. Raises ValueError, which never holds a secret."""
    settings = config.settings
    if config.kind != KIND:
        raise ValueError(f"mail does not go by {config.kind!r}")
    unknown = sorted(settings.keys() - {"host", "port", "security"} - _OPTIONAL)
    if unknown or not {"host", "port", "security"} <= settings.keys():
        raise ValueError(f"unknown setting {unknown[0]!r}" if unknown else "host, port and security are needed")
    host, port, security = settings["host"], settings["port"], settings["security"]
    if not isinstance(host, str) or not host or not host.isascii() or any(c <= " " or c == "\x7f" for c in host):
        raise ValueError("host must be a name or an address")
    if not isinstance(port, int) or not 0 < port < 65536:
        raise ValueError("port must be a number from 1 to 65535")
    if security not in SECURITY:
        raise ValueError(f"security must be one of {', '.join(SECURITY)}")
    username, password = settings.get("username"), config.secrets.get("password")
    if (username is None) != (password is None):
        raise ValueError("a user name and a password belong together")
    tls, starttls = SECURITY[security]
    return SmtpServer(
        host=host,
        port=port,
        username=username,
        password=password,
        tls=tls,
        starttls=starttls,
        verify=settings.get("verify", True) is not False,
        timeout_seconds=settings.get("timeout_seconds"),
        sender=_sender(settings.get("from_address")),
        max_connections=settings.get("max_connections"),
    )


def _sender(address: Any) -> Any:
    if address is None:
        return None
    try:
        mailbox = parse_mailbox(address)
    except InvalidAddress as exc:
        raise ValueError(f"from_address: {exc}") from None
    if mailbox.needs_smtputf8:
        raise ValueError("from_address must be ASCII before the @")
    return mailbox


def _settings(server: SmtpServer) -> dict[str, Any]:
    security = next(name for name, meant in SECURITY.items() if meant == (server.tls, server.starttls))
    settings: dict[str, Any] = {"host": server.host, "port": server.port, "security": security}
    optional = {
        "username": server.username,
        "timeout_seconds": server.timeout_seconds,
        "verify": None if server.verify else False,
    }
    return settings | {name: value for name, value in optional.items() if value is not None}

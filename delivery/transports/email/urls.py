"""`SMTP_URL`: one server or several, comma-separated, in the order in which they are tried.

    smtp://user:password@host:587?starttls=1      smtps://user:password@host:465      smtp://localhost:25

`starttls`  1: demand it; 0: never; left out: demanded when there is a password, otherwise used if it is offered
`verify`    0: accept any certificate
`timeout`   seconds to reach this server and log in, instead of the transport's own

User and password are percent-encoded. Ports default to 587 with a password, else 25, and to 465 for `smtps`.
"""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from delivery.transports.email.addresses import Mailbox

_OPTIONS = {"smtp": {"starttls", "verify", "timeout"}, "smtps": {"verify", "timeout"}}


class InvalidSmtpUrl(ValueError):
    """Never carries the URL: there is a password in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """One server to hand mail to. `starttls` None: if it is offered."""

    host: str
    port: int
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool | None = None
    verify: bool = True
    timeout_seconds: float | None = None
    sender: Mailbox | None = None
    """Whom mail by this server comes from, instead of the transport's own sender."""
    max_connections: int | None = None
    """Per process, where it is less than the transport's own limit."""

    @property
    def name(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"


def parse_smtp_urls(urls: str) -> tuple[SmtpServer, ...]:
    """The servers in order; raises InvalidSmtpUrl that says which entry is wrong, and how."""
    entries = [entry.strip() for entry in urls.split(",") if entry.strip()]
    if not entries:
        raise InvalidSmtpUrl("SMTP URL is empty")
    servers = []
    for position, entry in enumerate(entries, 1):
        try:
            servers.append(_parse(entry))
        except ValueError as exc:
            raise InvalidSmtpUrl(f"SMTP URL number {position}: {exc}") from None
    return tuple(servers)


def _parse(url: str) -> SmtpServer:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the host or port cannot be read") from None
    if parts.scheme not in _OPTIONS:
        raise ValueError("must begin with smtp:// or smtps://")
    if not parts.hostname:
        raise ValueError("has no host")
    if parts.path not in ("", "/") or parts.fragment:
        raise ValueError("has something after the host; is a character of the password not percent-encoded?")
    options = _options(parts)
    username = unquote(parts.username) if parts.username else None
    if (parts.password is not None) != (username is not None):
        raise ValueError("a user name and a password belong together")
    tls = parts.scheme == "smtps"
    starttls = _switch(options, "starttls", default=True if username and not tls else None)
    verify = _switch(options, "verify", default=True)
    return SmtpServer(
        host=parts.hostname,
        port=port or (465 if tls else 587 if username else 25),
        username=username,
        password=unquote(parts.password) if parts.password is not None else None,
        tls=tls,
        starttls=starttls if not tls else False,
        verify=verify is not False,
        timeout_seconds=_seconds(options.get("timeout")),
    )


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(options.keys() - _OPTIONS[parts.scheme])
    if unknown:
        raise ValueError(f"unknown option {unknown[0]!r} for {parts.scheme}")
    return options


def _switch(options: dict[str, str], name: str, *, default: bool | None) -> bool | None:
    value = options.get(name)
    if value is None:
        return default
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(f"{name} must be 1 or 0")


def _seconds(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 300:
        raise ValueError("timeout must be a number of seconds above 0 and up to 300")
    return seconds

"""Settings of the ways by which bounces come back."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings

_OPTIONS = frozenset({"starttls", "move_to"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapMailbox:
    """A mailbox to be read. `tls` is imaps, starttls or none; read mails are moved to `move_to`, else marked \\Seen."""

    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    folder: str = "INBOX"
    tls: str = "imaps"
    move_to: str | None = None
    timeout_seconds: float = 10.0
    most_mails: int = 200
    """Asked for at a time."""
    most_seconds: float = 45.0
    """Per poll, well below Celery's soft limit; the others wait for the next."""

    @property
    def name(self) -> str:
        return f"{self.user}@{self.host}/{self.folder}"[:255]


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceConf:
    """Built once by `deploy/bounces/settings.py`. `listen` is host and port of our own SMTP listener.

    `address` is empty where bounces are returned to the `sender`.
    """

    address: str = ""
    sender: str = ""
    listen: tuple[str, int] | None = None
    mailbox: ImapMailbox | None = None


def parse_imap_url(url: str) -> ImapMailbox:
    """`imaps://user:password@host[:port]/folder`, `imap://...?starttls=1`; `move_to=folder` for read mails. Raises ValueError."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not parts.username or parts.password is None:
        raise ValueError("must look like imaps://user:password@host/INBOX")
    if unknown := options.keys() - _OPTIONS:
        raise ValueError(f"has the unknown option {min(unknown)}; known are move_to and starttls")
    secure = parts.scheme == "imaps"
    given = [
        unquote(parts.username),
        unquote(parts.password),
        unquote(parts.path.strip("/")),
        options.get("move_to", ""),
    ]
    if not all(text.isascii() for text in given):
        raise ValueError("must be ASCII (folders in modified UTF-7)")
    if not all(text.isprintable() and '"' not in text for text in given):
        raise ValueError("must not hold control characters or quotation marks")
    return ImapMailbox(
        host=parts.hostname,
        port=parts.port or (993 if secure else 143),
        user=given[0],
        password=given[1],
        folder=given[2] or "INBOX",
        tls="imaps" if secure else "starttls" if options.get("starttls") == "1" else "none",
        move_to=given[3] or None,
    )


def conf() -> BounceConf:
    """The settings in force."""
    loaded: BounceConf = settings.CARILLON_BOUNCE
    return loaded

"""A real SMTP server that takes bounces: answers 250 once what a mail says is committed, and sends nothing, ever.

It is meant to stand behind the MX of the bounce address's domain or behind a relay; whoever can write to it can say no more
than what `delivery.feedback` believes. It takes mail for the one address that bounces are returned to, and from a sender who wants
to hear of it (a non-empty MAIL FROM) only reports. While PostgreSQL is away it answers 451, and the other side keeps the mail.
"""

import asyncio
from typing import Final

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from delivery.feedback.intake import take_mail
from notifications.addresses import normalise_email
from notifications.errors import Unavailable
from notifications.executor import in_thread

log = structlog.get_logger(__name__)

# Together they bound the memory: a mail of empty lines takes forty times its size while it comes in.
SIZE_LIMIT_BYTES: Final = 2 * 1024 * 1024
MOST_CONNECTIONS: Final = 10
_TIMEOUT_SECONDS: Final = 60


class BounceHandler:
    """aiosmtpd's handler."""

    def __init__(self, address: str) -> None:
        self._address = normalise_email(address)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if normalise_email(address) != self._address:
            return "550 5.1.1 Only bounces are taken here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        try:
            is_report = await in_thread(take_mail, envelope.original_content or b"")
        except Unavailable:
            return "451 4.3.0 Try again later"
        except Exception:
            log.exception("bounce_mail_failed")
            return "451 4.3.0 Try again later"
        if not is_report and (envelope.mail_from or "").strip("<>"):
            return "550 5.7.1 Only reports are taken here"
        return "250 2.0.0 Taken"


class _BoundedSMTP(SMTP):
    """Refuses more connections at once than a bounce address ever needs."""

    open_connections = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        type(self).open_connections += 1
        super().connection_made(transport)
        if type(self).open_connections > MOST_CONNECTIONS and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many connections\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        type(self).open_connections -= 1
        super().connection_lost(error)


async def start_bounce_listener(host: str, port: int, *, address: str) -> asyncio.Server:
    """Listen for mail to `address`; close the server to stop. Raises OSError."""
    loop = asyncio.get_running_loop()
    handler = BounceHandler(address)
    hostname = _domain(address)

    def connection() -> SMTP:
        return _BoundedSMTP(
            handler,
            data_size_limit=SIZE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="Carillon",
            timeout=_TIMEOUT_SECONDS,
            loop=loop,
        )

    return await loop.create_server(connection, host, port)


def _domain(address: str) -> str:
    """What the greeting calls us: the address's domain. Left to itself aiosmtpd asks DNS, for every connection."""
    return normalise_email(address).rpartition("@")[2] or "localhost"

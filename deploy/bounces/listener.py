"""A real SMTP server that takes bounces: answers 250 once what a mail says is committed, and sends nothing, ever.

It is meant to stand behind the MX of the bounce address's domain or behind a relay; whoever can write to it can say no more
than what `delivery.feedback` believes. With CARILLON_BOUNCE_ADDRESS set it takes mail for that address alone. While PostgreSQL
is away it answers 451, and the other side keeps the mail.
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

SIZE_LIMIT_BYTES: Final = 10 * 1024 * 1024
_MOST_CONNECTIONS: Final = 100
_TIMEOUT_SECONDS: Final = 60


class BounceHandler:
    """aiosmtpd's handler."""

    def __init__(self, address: str) -> None:
        self._address = normalise_email(address) if address else None

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._address is not None and normalise_email(address) != self._address:
            return "550 5.1.1 Only bounces are taken here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        try:
            await in_thread(take_mail, envelope.original_content or b"")
        except Unavailable:
            return "451 4.3.0 Try again later"
        except Exception:
            log.exception("bounce_mail_failed")
            return "451 4.3.0 Try again later"
        return "250 2.0.0 Taken"


class _BoundedSMTP(SMTP):
    """Refuses more connections at once than a bounce address ever needs."""

    open_connections = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        type(self).open_connections += 1
        super().connection_made(transport)
        if type(self).open_connections > _MOST_CONNECTIONS and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many connections\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        type(self).open_connections -= 1
        super().connection_lost(error)


async def start_bounce_listener(host: str, port: int, *, address: str = "") -> asyncio.Server:
    """Listen; close the server to stop."""
    loop = asyncio.get_running_loop()
    handler = BounceHandler(address)

    def connection() -> SMTP:
        return _BoundedSMTP(
            handler,
            data_size_limit=SIZE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
            ident="Carillon",
            timeout=_TIMEOUT_SECONDS,
            loop=loop,
        )

    return await loop.create_server(connection, host, port)

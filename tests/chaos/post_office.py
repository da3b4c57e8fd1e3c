"""The SMTP server: keeps a book of every message, and sometimes hangs up before or after the final dot."""

import asyncio
import random
import re
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.chaos.arrivals import ReceiverBook

# Shares of all transactions.
BEFORE_DOT, AFTER_DOT, LATER = 0.02, 0.01, 0.02
MESSAGE_ID: Final = re.compile(rb"^Message-ID:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)


class PostOffice:
    """aiosmtpd with bad days; open it before the platform starts, which is told its `url`."""

    def __init__(self, rng: random.Random) -> None:
        self.book = ReceiverBook()
        self.url = ""
        self.rng = rng
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Smtp(self, enable_SMTPUTF8=True, hostname="receiver.test", loop=loop), "127.0.0.1", 0
        )
        self.url = f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        found = MESSAGE_ID.search(envelope.original_content or b"")
        if found is None or len(envelope.rcpt_tos) != 1:
            self.book.invalid.append(f"{found and found[1]!r} to {len(envelope.rcpt_tos)}")
            return "554 5.6.0 no Message-ID, or more than one recipient"
        name = found[1].decode()
        drawn = self.rng.random()
        if drawn < LATER:
            self.book.misbehaved["later"] += 1
            self.book.note(name, taken=False)
            return "451 4.3.0 try again later"
        cut = drawn < LATER + AFTER_DOT
        self.book.note(name, taken=True, answered=not cut)
        if cut:
            self.book.misbehaved["after_dot"] += 1
            _abort(server)
        return "250 2.0.0 OK"


class _Smtp(SMTP):
    """Hangs up in the middle of some messages."""

    def __init__(self, office: PostOffice, **options: Any) -> None:
        super().__init__(office, **options)
        self._office = office

    async def smtp_DATA(self, arg: str) -> None:
        if self._office.rng.random() >= BEFORE_DOT:
            await super().smtp_DATA(arg)
            return
        self._office.book.misbehaved["before_dot"] += 1
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        await self._reader.readline()
        _abort(self)
        # What is left of the message must not be read as commands: aiosmtpd cancels us once the connection is gone.
        await asyncio.sleep(60)


def _abort(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()

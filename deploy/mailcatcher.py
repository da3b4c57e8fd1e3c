"""A real SMTP server that delivers nowhere: every mail becomes a file of a Maildir, the newest are kept."""

import asyncio
import itertools
import os
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

KEEP = 1000
PRUNE_EVERY = 50
SIZE_LIMIT_BYTES = 32 * 1024 * 1024


class Maildir:
    """Writes mails as a mail server does: into `tmp`, then renamed into `new`, so that a reader never sees half a mail."""

    def __init__(self, folder: Path, *, keep: int = KEEP) -> None:
        self.folder = folder
        self._keep = keep
        self._numbers = itertools.count(1)
        for name in ("", "tmp", "new", "cur"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(self, content: bytes) -> Path:
        """Store one mail; names sort by arrival."""
        number = next(self._numbers)
        name = f"{time.time_ns()}.{os.getpid()}_{number:06}.carillon"
        temporary = self.folder / "tmp" / name
        temporary.write_bytes(content)
        target = self.folder / "new" / name
        temporary.rename(target)
        if number % PRUNE_EVERY == 1:
            self.prune()
        return target

    def prune(self) -> None:
        """Remove all but the newest mails, and what a crash left half written."""
        stored = sorted(
            (path for name in ("new", "cur") for path in (self.folder / name).iterdir()), key=lambda path: path.name
        )
        for path in stored[: -self._keep]:
            path.unlink(missing_ok=True)
        for path in (self.folder / "tmp").iterdir():
            path.unlink(missing_ok=True)


class _Catcher:
    """aiosmtpd's handler: accepts every address."""

    def __init__(self, maildir: Maildir) -> None:
        self._maildir = maildir

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        recipients = ", ".join(envelope.rcpt_tos)
        # What a mail server adds on delivery; the page that shows caught mail reads the true addressees here.
        head = f"Return-Path: <{envelope.mail_from or ''}>\r\nDelivered-To: {recipients}\r\n"
        self._maildir.add(head.encode("utf-8", "surrogateescape") + content)
        return "250 2.0.0 Caught"


async def start_mail_catcher(folder: Path) -> tuple[asyncio.Server, str]:
    """Listen on a free loopback port; gives the server and its `smtp://` URL."""
    catcher = _Catcher(Maildir(folder))
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        return SMTP(
            catcher, data_size_limit=SIZE_LIMIT_BYTES, enable_SMTPUTF8=True, hostname="carillon.localhost", loop=loop
        )

    server = await loop.create_server(connection, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, f"smtp://127.0.0.1:{port}"

"""One look into an IMAP mailbox (RFC 3501): mails that nobody has seen, each handed over before it is marked.

A mail is fetched with `BODY.PEEK`, which marks nothing; only when whoever takes it is done is it marked `\\Seen` or moved (RFC 6851).
A look that is cut off between the two repeats that mail at the next. Only the beginning of a huge mail is fetched.
"""

import contextlib
import imaplib
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from delivery.feedback.conf import ImapMailbox

FAILURES: Final = (imaplib.IMAP4.error, OSError)
"""What a server that is away, slow or refusing looks like from here."""


_WINDOW: Final = 5000


class MailboxRefused(imaplib.IMAP4.error):
    """The server said no to something that must work."""


def read_mailbox(mailbox: ImapMailbox, take: Callable[[bytes], bool], *, limit_bytes: int) -> int:
    """Give every unseen mail to `take`, then mark it, flagged where `take` said False; how many.

    Goes on for as long as full batches come and time is left. Raises `FAILURES`, or what `take` raises.
    """
    deadline = time.monotonic() + mailbox.most_seconds
    count = 0
    with _connection(mailbox) as client:
        move_to = mailbox.move_to if _can_move(client) else None
        while True:
            batch = _unseen(client, mailbox.folder, mailbox.most_mails)
            for uid in batch:
                if time.monotonic() > deadline:
                    return count
                mail = _fetch(client, uid, limit_bytes)
                if mail is not None:
                    _mark(client, uid, move_to, taken=take(mail))
                    count += 1
            if len(batch) < mailbox.most_mails:
                return count


@contextlib.contextmanager
def _connection(mailbox: ImapMailbox) -> Iterator[imaplib.IMAP4]:
    context = ssl.create_default_context()
    client: imaplib.IMAP4
    if mailbox.tls == "imaps":
        client = imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=mailbox.timeout_seconds)
    else:
        client = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=mailbox.timeout_seconds)
    try:
        if mailbox.tls == "starttls":
            client.starttls(ssl_context=context)
        client.login(mailbox.user, mailbox.password)
        yield client
    finally:
        with contextlib.suppress(*FAILURES):
            client.logout()
        with contextlib.suppress(OSError):
            client.shutdown()  # a conversation that broke off leaves its socket open


def _can_move(client: imaplib.IMAP4) -> bool:
    """Asked after the login, for many servers say before it only what it takes to log in."""
    return any(b"MOVE" in line.upper().split() for line in _checked(client.capability()) if isinstance(line, bytes))


def _unseen(client: imaplib.IMAP4, folder: str, most: int) -> list[bytes]:
    """The oldest unseen mails' ids, asked for in windows: imaplib refuses answers of more than a million bytes."""
    existing = int(_checked(client.select(f'"{folder}"'))[0] or 0)
    uids: list[bytes] = []
    for first in range(1, existing + 1, _WINDOW):
        found = _checked(client.uid("SEARCH", f"{first}:{min(first + _WINDOW - 1, existing)}", "UNSEEN"))
        uids += [uid for line in found if isinstance(line, bytes) for uid in line.split()]
        if len(uids) >= most:
            break
    return uids[:most]


def _fetch(client: imaplib.IMAP4, uid: bytes, limit_bytes: int) -> bytes | None:
    """The mail, or None when somebody else has taken it away meanwhile."""
    answer = _checked(client.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{limit_bytes}>)"))
    return next((bytes(part[1]) for part in answer if isinstance(part, tuple) and len(part) > 1), None)


def _mark(client: imaplib.IMAP4, uid: bytes, move_to: str | None, *, taken: bool) -> None:
    flags = r"(\Seen)" if taken else r"(\Seen \Flagged)"
    _checked(client.uid("STORE", uid.decode(), "+FLAGS.SILENT", flags))
    if move_to and taken:
        _checked(client.uid("MOVE", uid.decode(), f'"{move_to}"'))


def _checked(answer: tuple[str, list[Any]]) -> list[Any]:
    status, lines = answer
    if status != "OK":
        raise MailboxRefused(f"the server answered {status}")
    return lines

"""Mails with files: fetched when a mail is sent, and put around what is said."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from typing import Final

from delivery.transports.base import Attachment, PermanentFailure
from delivery.transports.email.message import BODY_POLICY, Tail
from delivery.transports.fetch import Fetched, Fetcher

_KEEP_BYTES: Final = 32 * 1024 * 1024

File = tuple[Attachment, Fetched]
Key = tuple[bytes, tuple[Attachment, ...], tuple[bytes, ...]]


class Enclosing:
    """Belongs to one event loop. Keeps the last tails, because a broadcast encloses the same files for everybody."""

    def __init__(self, fetcher: Fetcher, *, max_bytes: int) -> None:
        self._fetcher = fetcher
        self._max_bytes = max_bytes
        self._tails: OrderedDict[Key, asyncio.Future[Tail]] = OrderedDict()

    async def enclose(self, tail: Tail, attachments: Sequence[Attachment]) -> Tail:
        """`tail` with the files; raises what `Fetcher.fetch` raises."""
        found = await asyncio.gather(*(self._fetcher.fetch(attachment.url) for attachment in attachments))
        if sum(len(file.content) for file in found) > self._max_bytes:
            raise PermanentFailure("attachments_too_large")
        key = (tail, tuple(attachments), tuple(file.digest for file in found))
        if key not in self._tails:
            # In a thread: encoding and hashing ten megabytes takes the better part of a second.
            work = asyncio.to_thread(_enclose, tail, list(zip(attachments, found, strict=True)))
            self._tails[key] = asyncio.ensure_future(work)
        self._tails.move_to_end(key)
        try:
            # Shielded: whoever waits may give up, the others go on waiting for the same tail.
            return await asyncio.shield(self._tails[key])
        finally:
            self._forget()

    def _forget(self) -> None:
        room = _KEEP_BYTES
        for key, future in reversed(list(self._tails.items())):
            if not future.done():
                continue
            failed = future.cancelled() or future.exception() is not None
            room -= 0 if failed else len(future.result())
            if failed or room < 0:
                del self._tails[key]


def _enclose(tail: Tail, files: Sequence[File]) -> Tail:
    """The MIME tree: mixed(alternative(text, related(html, images)), files). The subject's lines stay as they are."""
    subject, rest = tail[: tail.index(b"MIME-Version:")], tail[tail.index(b"MIME-Version:") :]
    message = message_from_bytes(rest, policy=BODY_POLICY)
    assert isinstance(message, EmailMessage)
    html = message.get_body(("html",))
    assert isinstance(html, EmailMessage)
    for attachment, file in files:
        maintype, _, subtype = attachment.media_type.partition("/")
        if attachment.inline is not None:
            html.add_related(
                file.content,
                maintype=maintype,
                subtype=subtype,
                cid=f"<{attachment.inline}>",
                filename=attachment.name,
                disposition="inline",
            )
        else:
            message.add_attachment(file.content, maintype=maintype, subtype=subtype, filename=attachment.name)
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            # From the content, so that rendering is repeatable; no encoded part can hold a line that begins like this.
            part.set_boundary(f"=_{number}_" + hashlib.sha256(tail).hexdigest()[:32])
    enclosed = Tail(subject + message.as_bytes())
    enclosed.body_hash  # noqa: B018 - computed here, off the loop
    return enclosed

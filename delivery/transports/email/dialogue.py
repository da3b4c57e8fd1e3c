"""Commands and replies on an SMTP connection that aiosmtplib has opened, several commands at a time (RFC 2920).

aiosmtplib connects, encrypts and logs in; its protocol expects one reply per write, which costs a round trip per
command. From then on this protocol has the transport: whatever was written, replies come back in order.
"""

import asyncio
from collections import deque
from typing import Final, cast

from aiosmtplib import SMTPResponse, SMTPResponseException, SMTPServerDisconnected

_LONGEST_REPLY: Final = 64 * 1024
_INVALID: Final = -1


class Dialogue(asyncio.Protocol):
    """Belongs to one connection; one transaction at a time."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._replies: deque[SMTPResponse] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._broken: Exception | None = None
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return self._broken is None and not self._transport.is_closing()

    @property
    def is_silent(self) -> bool:
        """Whether the server has said nothing beyond what was asked."""
        return not self._replies and not self._buffer

    def write(self, data: bytes) -> None:
        """Raises SMTPServerDisconnected."""
        if not self.is_open:
            raise self._broken or SMTPServerDisconnected("Connection lost")
        self._transport.write(data)

    async def reply(self) -> SMTPResponse:
        """The next reply. Raises SMTPServerDisconnected, or SMTPResponseException for what is no reply."""
        while not self._replies:
            if self._broken is not None:
                raise self._broken
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        return self._replies.popleft()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while (reply := self._take()) is not None:
                self._replies.append(reply)
        except (ValueError, IndexError):
            self._break(SMTPResponseException(_INVALID, "Not an SMTP reply"))
        else:
            if len(self._buffer) > _LONGEST_REPLY:
                self._break(SMTPResponseException(_INVALID, "Reply too long"))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._broken is None:
            self._broken = SMTPServerDisconnected("Connection lost")
        self._wake()

    def _take(self) -> SMTPResponse | None:
        """One whole reply from the buffer: lines with the same code, the last without a hyphen behind it (RFC 5321, 4.2.1)."""
        start, lines = 0, []
        while (end := self._buffer.find(b"\n", start)) >= 0:
            line = bytes(self._buffer[start:end])
            code = int(line[:3])
            if not 200 <= code <= 599:
                raise ValueError(line[:3])
            lines.append(line[4:].strip())
            start = end + 1
            if line[3:4] != b"-":
                del self._buffer[:start]
                return SMTPResponse(code, b"\n".join(lines).decode("utf-8", "surrogateescape"))
        return None

    def _break(self, error: Exception) -> None:
        self._broken = error
        self._buffer.clear()
        self._transport.abort()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def take_over(transport: asyncio.BaseTransport | None) -> Dialogue:
    """From aiosmtplib's protocol. Raises SMTPServerDisconnected."""
    if transport is None or transport.is_closing():
        raise SMTPServerDisconnected("Connection lost")
    return Dialogue(cast(asyncio.Transport, transport))

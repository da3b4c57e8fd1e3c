"""One socket's way out: what goes to the client, in which order, how much may wait, and when to close.

    opened ──begin──> live <──gap──> catching up          any ──close──> closing ──> closed
                        (offset = wanted)  (offset < wanted)

`offset` is that of the last change put in line for this client. A live event that is the next one goes out at once;
one that is known is dropped; one from further ahead only raises `wanted`, and the pump reads what lies between from the
log. So each change goes out once and in order, whatever the channel layer repeats, swaps or loses.

There is no timer at all: the hub takes from its wheel who is due, and calls `tick`. Where the server can write a frame at once
(`write_text` of the protocol behind `send`) there is a task only while something has to wait; elsewhere, while there is
something to send.
"""

import asyncio
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from time import monotonic
from typing import Any, Final
from uuid import UUID

from consumers import frames, metrics
from consumers.codes import REASONS, CloseCode
from consumers.conf import ConsumersConf
from consumers.log import LOG_FAILED, InboxLog
from consumers.wheel import Wheel
from notifications.aborting import abort
from notifications.inbox.reads import Head, Position

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NEVER: Final = math.inf
_NO_EPOCH: Final = str(UUID(int=0))

Ready = tuple["Connection", bytes]
"""A socket, and the frame that it is sent next."""


class Connection:
    """What the hub and the commands know of one socket. All methods but the pump are synchronous and quick."""

    __slots__ = (
        "_allowance",
        "_blocked",
        "_closing",
        "_conf",
        "_early",
        "_ends_at",
        "_is_doubtful",
        "_log",
        "_outbox",
        "_ping_at",
        "_pump",
        "_refilled_at",
        "_retry_at",
        "_send",
        "_stuck_at",
        "_wanted",
        "_wheel",
        "_write_text",
        "due",
        "epoch",
        "issued_at",
        "offset",
        "place",
        "recipient_pk",
    )

    def __init__(self, send: Send, log: InboxLog, conf: ConsumersConf, wheel: "Wheel[Connection]") -> None:
        now = monotonic()
        self._send = send
        self._write_text: Callable[[bytes], bool] | None = getattr(getattr(send, "__self__", None), "write_text", None)
        self._log = log
        self._conf = conf
        self._wheel = wheel
        self.recipient_pk: UUID | None = None
        self.epoch: str | None = None
        self.issued_at: datetime | None = None
        self.offset = -1
        self._wanted = -1
        self._early: dict[int, bytes] | None = None
        self._outbox: deque[bytes] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._blocked = False
        self._is_doubtful = False
        self._closing: CloseCode | None = None
        self._stuck_at = self._retry_at = self._ping_at = NEVER
        self._ends_at = self.due = now + conf.connect_timeout_seconds
        self.place = 0
        wheel.put(self, self.due)
        self._allowance = float(conf.max_commands_per_second)
        self._refilled_at = now

    @property
    def is_live(self) -> bool:
        """The connect command was answered and nothing has ended it since."""
        return self.epoch is not None and self._closing is None

    @property
    def position(self) -> Position | None:
        """How far it follows which inbox; nowhere in no epoch until the connect command is answered, None before it came."""
        return None if self.recipient_pk is None else Position(self.recipient_pk, self.epoch or _NO_EPOCH, self.offset)

    @property
    def is_closing(self) -> bool:
        return self._closing is not None

    def is_admitted_by(self, head: Head) -> bool:
        """Whether the token it came with still opens the inbox."""
        return self.issued_at is not None and head.admits(self.issued_at)

    def begin(self, *, epoch: str, offset: int, head: int, valid_seconds: float) -> None:
        """The connect command is answered: everything after `offset` follows, as far as `head` from the log."""
        if self._closing is not None:
            return
        now = monotonic()
        self.epoch = epoch
        self.offset = offset
        if self._wanted <= offset:
            self._early = None
        self._ends_at = now + valid_seconds
        # Evenly spread from the first on: thousands may come in the same second, after a restart.
        self._ping_at = now + self._conf.ping_seconds * random.random()  # noqa: S311 (no secret)
        self._look_at(min(self._ends_at, self._ping_at))
        self.want(head)

    def push(self, text: bytes) -> None:
        """Put a frame that is not a change in line."""
        if self._closing is not None:
            return
        if self._pump is None and self._write_text is not None and self._write_text(text):
            return
        if self._outbox is None:
            self._outbox = deque()
        if len(self._outbox) >= self._conf.max_queued_frames:
            self.close(CloseCode.TOO_SLOW)
            return
        self._outbox.append(text)
        self._run()

    def offer(self, offset: int, text: bytes, ready: list[Ready]) -> None:
        """A live event arrived: when it is the next one it is added to `ready`, for `push`; that is done for many at once, so
        that processes which read at the other end are not woken for each."""
        if self._closing is not None or offset <= self.offset:
            return
        if offset == self.offset + 1 and self._wanted <= self.offset and self.epoch is not None:
            if self._outbox is None or len(self._outbox) < self._conf.max_queued_frames:
                self.offset = self._wanted = offset
                ready.append((self, text))
                return
            if self._blocked:
                self.close(CloseCode.TOO_SLOW)
                return
        if self._early is None:
            self._early = {}
        if len(self._early) < self._conf.max_early_events:
            self._early[offset] = text
        self.want(offset)

    def want(self, offset: int) -> None:
        """The log goes at least as far as `offset`: read up to there."""
        self._wanted = max(self._wanted, offset)
        if self.epoch is not None and self._closing is None and self._wanted > self.offset:
            self._run()

    def check_position(self, head: int, *, patient: bool = False) -> None:
        """`head` is where the log stands: catch up, or tell the client that it has everything.

        `patient`: let the first sign of being behind pass, and look again shortly.
        """
        if self.epoch is None or self._closing is not None:
            return
        if patient and head > self.offset and not self._is_doubtful:
            self._is_doubtful = True
            self._ping_at = monotonic() + self._conf.hint_patience_seconds
            self._look_at(self._ping_at)
            return
        self._is_doubtful = False
        self.want(head)
        if self._wanted <= self.offset:
            self.push(frames.position(self.offset))

    def take_command(self) -> bool:
        """Count one command; False when there were too many."""
        now = monotonic()
        rate = float(self._conf.max_commands_per_second)
        self._allowance = min(rate, self._allowance + (now - self._refilled_at) * rate)
        self._refilled_at = now
        self._allowance -= 1
        return self._allowance >= 0

    def close(self, code: CloseCode) -> None:
        """Close once the frame being sent is out; what waits behind it is dropped, for the log still has it."""
        if self._closing is None:
            self._closing = code
            self._outbox = self._early = None
            metrics.CLOSED.labels(code.value).inc()
            self._run()

    def tick(self, now: float) -> bool:
        """See to what is due; True when it is time to check the position."""
        ping = False
        if now >= self._stuck_at:
            self.close(CloseCode.TOO_SLOW)
            self.dispose()
            abort(self._send)
        elif now >= self._ends_at:
            self.close(CloseCode.NO_CONNECT if self.epoch is None else CloseCode.BAD_TOKEN)
        else:
            if now >= self._retry_at:
                self._retry_at = NEVER
                self._run()
            if now >= self._ping_at:
                self._ping_at = now + self._conf.ping_seconds
                ping = True
        ends_at = self._ends_at if self._closing is None else NEVER
        self.due = min(ends_at, self._ping_at, self._stuck_at, self._retry_at)
        self._wheel.put(self, self.due)
        return ping

    def dispose(self) -> None:
        """The socket is gone: nothing is sent any more."""
        self._closing = self._closing or CloseCode.RESUME
        self._stuck_at = self._retry_at = self._ping_at = NEVER
        self._wheel.remove(self)
        if self._pump is not None:
            self._pump.cancel()

    def _look_at(self, moment: float) -> None:
        if moment < self.due:
            self.due = moment
            self._wheel.put(self, moment)

    def _run(self) -> None:
        if self._pump is None:
            self._pump = asyncio.create_task(self._pump_out())

    async def _pump_out(self) -> None:
        """Send what is in line and read what is missing, until there is neither. The only sender of this socket."""
        try:
            while self._closing is None:
                if self._outbox:
                    await self._put_text(self._outbox.popleft())
                elif self.epoch is not None and self._wanted > self.offset and self._retry_at == NEVER:
                    await self._catch_up()
                else:
                    return
            code = self._closing
            await self._put({"type": "websocket.close", "code": code.value, "reason": REASONS[code]})
        except (OSError, RuntimeError):
            # The client has gone, or the server closed for a broken frame. The socket's own task learns it, too.
            self._closing = self._closing or CloseCode.RESUME
        finally:
            self._pump = None
            self._outbox = None
            self._stuck_at = NEVER

    async def _put_text(self, text: bytes) -> None:
        await self._put({"type": "websocket.send", "text": text.decode()})

    async def _put(self, message: dict[str, Any]) -> None:
        self._stuck_at = monotonic() + self._conf.send_timeout_seconds
        self._look_at(self._stuck_at)
        self._blocked = True
        await self._send(message)
        self._blocked = False

    async def _catch_up(self) -> None:
        early = self._early.pop(self.offset + 1, None) if self._early else None
        if early is not None:
            self.offset += 1
            await self._put_text(early)
            return
        assert self.recipient_pk is not None
        try:
            page = await self._log.page(self.recipient_pk, after=self.offset)
        except LOG_FAILED:
            self._retry_at = monotonic() + self._conf.catch_up_retry_seconds
            self._look_at(self._retry_at)
            return
        if page is None or not self.is_admitted_by(page.head):
            self.close(CloseCode.BAD_TOKEN)
            return
        if str(page.head.epoch) != self.epoch or not page.whole:
            self.close(CloseCode.RESUME)
            return
        target = self._wanted = max(self._wanted, page.head.offset)
        for offset, text in page.changes:
            if self._closing is not None:
                return
            self.offset = offset
            await self._put_text(text)
        if page.complete:
            # Offsets that are missing up to here were deleted; a hint beyond here told of nothing that is committed.
            self.offset = max(self.offset, page.head.offset)
            if self._wanted == target:
                self._wanted = self.offset
                self._early = None

"""One hub per process: the only listener to the channel layer and the only clock of all inbox sockets.

It owns one layer channel, joins a recipient's group with that recipient's first socket and leaves it after the last, and
hands what arrives straight to the sockets. All from the layer are hints: after an interruption, and with every
ping, positions are compared with the log in PostgreSQL, so the layer may lose, repeat or swap what it likes.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import count, islice
from time import monotonic
from typing import Any, NamedTuple, cast
from uuid import UUID

import structlog
from channels.layers import get_channel_layer

from consumers import metrics
from consumers.codes import CloseCode
from consumers.conf import ConsumersConf, conf
from consumers.connection import Connection, Ready, Send
from consumers.log import LOG_FAILED, InboxLog
from consumers.pace import Pace
from consumers.room import Room
from consumers.wheel import Wheel
from notifications.events import inbox_group
from notifications.inbox.attendance import Attendance
from notifications.inbox.batch import Batch
from notifications.inbox.endings import end_tasks
from notifications.inbox.hints import PackedHint
from notifications.inbox.layer import LiveLayer
from notifications.inbox.reads import Head, Position
from notifications.tokens import RecipientToken

log = structlog.get_logger(__name__)

_JOINS_AT_ONCE = 500
_CHECKS_AT_ONCE = 500
_HINTS_AT_ONCE = 100
_LOOKS_PER_TICK = 20
_FRAMES_AT_ONCE = 4


class HubStats(NamedTuple):
    """What a hub holds right now."""

    sockets: int
    recipients: int


class Hub:
    """`open` on the loop that serves; then each socket registers, joins its recipient's room, and leaves."""

    def __init__(self, settings: ConsumersConf) -> None:
        self.conf = settings
        self.log = InboxLog(connections=settings.database_connections)
        self.draining = False
        self._layer = cast(LiveLayer, get_channel_layer())
        self._channel = ""
        self._rooms: dict[str, Room] = {}
        self._empty: set[UUID] = set()
        self._connections: set[Connection] = set()
        self._wheel: Wheel[Connection] = Wheel(settings.tick_seconds / _LOOKS_PER_TICK)
        self.attendance = Attendance(self._devices_of, self.log, settings.presence)
        self._joins: Batch[UUID, None] = Batch(self._join_groups, limit=_JOINS_AT_ONCE)
        self._pace = Pace(at_once=settings.max_connects_at_once, per_second=settings.max_connects_per_second)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Task[None] | None = None
        self._all_gone = asyncio.Event()
        self._backlog: deque[PackedHint] = deque()

    @property
    def stats(self) -> HubStats:
        return HubStats(len(self._connections), len(self._rooms))

    async def open(self) -> None:
        """Begin to listen, with the first socket."""
        if self._ready is None:
            self._ready = self._spawn(self._open())
        if not self._ready.done():
            await asyncio.shield(self._ready)

    def register(self, send: Send) -> Connection:
        """A socket was opened; `forget` it when it has gone."""
        connection = Connection(send, self.log, self.conf, self._wheel)
        self._connections.add(connection)
        metrics.SOCKETS.set(len(self._connections))
        return connection

    def forget(self, connection: Connection) -> None:
        connection.dispose()
        self._connections.discard(connection)
        if not self._connections:
            self._all_gone.set()
        metrics.SOCKETS.set(len(self._connections))
        room = self._rooms.get(connection.recipient_pk.hex) if connection.recipient_pk else None
        if room is not None and connection in room.connections:
            room.connections.remove(connection)
            if connection.epoch is not None:
                self.attendance.leave(room.recipient_pk)
            if not room.connections:
                self._empty.add(room.recipient_pk)

    async def enter(self, connection: Connection, token: RecipientToken) -> bool:
        """Put a socket into its recipient's room; False when that is full, or too many have come lately.

        When it returns, live events for this recipient arrive, or the layer is away and its return will be noticed.
        """
        recipient_pk = token.recipient_pk
        if not self._pace.take(recipient_pk.hex, monotonic()):
            return False
        room = self._rooms.get(recipient_pk.hex)
        if room is None:
            room = self._rooms[recipient_pk.hex] = Room(recipient_pk)
            room.joining = self._joins.ask(recipient_pk)
            room.joining.add_done_callback(room.is_joined)
            metrics.RECIPIENTS.set(len(self._rooms))
        if len(room.connections) >= self.conf.max_sockets_per_recipient:
            return False
        connection.recipient_pk = recipient_pk
        connection.issued_at = token.issued_at
        room.connections.append(connection)
        if room.joining is not None:
            await asyncio.shield(room.joining)
        return True

    def dispatch(self, hints: Iterable[PackedHint]) -> None:
        """Hand hints to the sockets of their recipients here."""
        rooms = self._rooms
        ready: list[Ready] = []
        for recipient, epoch, offset, text in hints:
            room = rooms.get(recipient)
            # Not the same epoch: either this event or the socket's history is out of date, and the log tells which.
            if room is not None and not (text and room.offer(epoch, offset, text, ready)):
                self._spawn(self._check(list(room.connections)))
        for connection, text in ready:
            connection.push(text)

    async def drain(self) -> None:
        """Tell every socket to resume elsewhere, wait for them to go, and end."""
        self.draining = True
        for connection in self._connections:
            connection.close(CloseCode.RESUME)
        if self._connections:
            self._all_gone.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.conf.drain_timeout_seconds):
                    await self._all_gone.wait()
        await end_tasks(tuple(self._tasks))
        await self.attendance.close()
        await self.log.aclose()
        await self._layer.flush()

    async def _open(self) -> None:
        self._layer.watch(on_interrupt=lambda: None, on_return=self._look_again)
        await self.log.open()
        self._channel = self._layer.new_hints_channel("inbox-hub.", self._take)
        for work in (self._tick(), self._leave(), self.attendance.run()):
            self._spawn(work)

    async def _join_groups(self, recipient_pks: Sequence[UUID]) -> Mapping[UUID, None]:
        await self._layer.group_add_many([inbox_group(pk) for pk in recipient_pks], self._channel)
        return {}

    def _take(self, hints: Sequence[PackedHint]) -> None:
        """These have come: dispatched at once, many in parts between which the loop sees to everything else."""
        metrics.EVENTS.inc(len(hints))
        was_idle = not self._backlog
        self._backlog.extend(hints)
        if was_idle:
            self._dispatch_part()

    def _dispatch_part(self) -> None:
        backlog = self._backlog
        part = [backlog.popleft() for _ in range(min(_HINTS_AT_ONCE, len(backlog)))]
        try:
            self.dispatch(part)
        except Exception:  # whoever called goes on listening
            log.exception("hints_not_dispatched", hints=len(part))
        if backlog:
            asyncio.get_running_loop().call_soon(self._dispatch_part)

    async def _tick(self) -> None:
        """The one clock: sees to every socket whose moment has come. Positions are looked up for all of a tick together."""
        pinged: list[Connection] = []
        for look in count(1):
            await asyncio.sleep(self.conf.tick_seconds / _LOOKS_PER_TICK)
            now = monotonic()
            pinged += [each for each in self._wheel.take(now) if each.tick(now)]
            if pinged and look % _LOOKS_PER_TICK == 0:
                self._spawn(self._check(pinged, patient=True, during_seconds=self.conf.tick_seconds))
                pinged = []

    async def _leave(self) -> None:
        """Leave groups a little later and together: a page that is loaded anew comes right back."""
        while True:
            await asyncio.sleep(self.conf.tick_seconds)
            gone = []
            for recipient_pk in self._empty:
                room = self._rooms.get(recipient_pk.hex)
                if room is not None and not room.connections and room.joining is None:
                    del self._rooms[recipient_pk.hex]
                    gone.append(inbox_group(recipient_pk))
            self._empty.clear()
            self._pace.forget(monotonic())
            if gone:
                metrics.RECIPIENTS.set(len(self._rooms))
                # No wait between this and the removal above, so a socket that comes now joins after it.
                await self._layer.group_discard_many(gone, self._channel)

    def _devices_of(self, recipient_pk: UUID) -> int:
        room = self._rooms.get(recipient_pk.hex)
        return 0 if room is None else room.devices

    def _look_again(self) -> None:
        """The layer is back: hints were lost, and Redis may have forgotten what it was told."""
        self.attendance.renew()
        self._spawn(self._check(list(self._connections)))

    async def _check(
        self, connections: Iterable[Connection], *, patient: bool = False, during_seconds: float = 0.0
    ) -> None:
        """Compare positions and access with the log, by the batch; also for who has only just entered. `patient`: who is
        behind is looked at once more before the log is read, for the hint may be on its way. The frames go out evenly in
        `during_seconds`: each may cost a switch to the client's process, and events go in between."""
        everyone = tuple(connections)
        pause = during_seconds * _FRAMES_AT_ONCE / max(len(everyone), 1)
        rest = iter(everyone)
        while part := list(islice(rest, _CHECKS_AT_ONCE)):
            live = [each for each in part if not each.is_closing]
            await self._check_part(live, patient=patient, pause=pause)

    async def _check_part(self, live: Sequence[Connection], *, patient: bool, pause: float) -> None:
        asked = [(each, position) for each in live if (position := each.position) is not None]
        moved: Mapping[UUID, Head | None] = {}
        if asked:
            # With nothing to compare with, the frame still keeps proxies from closing a silent connection.
            with contextlib.suppress(*LOG_FAILED):
                moved = await self.log.moved([position for _, position in asked])
        for number, (connection, position) in enumerate(asked, 1):
            self._compare(connection, position, moved, patient=patient)
            if number % _FRAMES_AT_ONCE == 0:
                await asyncio.sleep(pause)

    def _compare(
        self, connection: Connection, asked: Position, moved: Mapping[UUID, Head | None], *, patient: bool
    ) -> None:
        if asked.recipient_pk not in moved:
            connection.check_position(connection.offset)
            return
        head = moved[asked.recipient_pk]
        if head is None:
            # Who had only just entered when it was asked is given an inbox with the answer.
            if connection.epoch == asked.epoch:
                connection.close(CloseCode.BAD_TOKEN)
        elif not connection.is_admitted_by(head):
            connection.close(CloseCode.BAD_TOKEN)
        elif connection.epoch is not None and str(head.epoch) != connection.epoch:
            connection.close(CloseCode.RESUME)
        else:
            connection.check_position(head.offset, patient=patient)

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _Process:
    """The hub of this process and the loop it lives on."""

    hub: Hub | None = None
    loop: asyncio.AbstractEventLoop | None = None


def current_hub() -> Hub:
    """The hub of the running loop, made when there is none."""
    loop = asyncio.get_running_loop()
    if _Process.hub is None or _Process.loop is not loop:
        _Process.hub, _Process.loop = Hub(conf()), loop
    return _Process.hub


async def drain() -> None:
    """Close all sockets of this process with 4503 and end its hub, if it has one. For the server, before it stops."""
    hub = _Process.hub
    if hub is not None and _Process.loop is asyncio.get_running_loop():
        await hub.drain()
        _Process.hub = _Process.loop = None

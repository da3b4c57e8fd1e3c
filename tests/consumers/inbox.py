"""Fills inboxes the way the in-app channel does, and follows them the way a client does."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from notifications.database import connect
from notifications.events import LiveEvent
from notifications.ids import new_uuid
from notifications.inbox.reads import MESSAGE_COLUMNS, message_of
from notifications.inbox.shapes import live_event
from notifications.tokens import issue_token

PATIENCE_SECONDS = 20


@dataclass
class Owner:
    """One recipient with an inbox of its own."""

    project_id: UUID
    pk: UUID
    external_id: str
    written: list[LiveEvent] = field(default_factory=list)

    def token(self, lifetime_seconds: int = 600) -> str:
        token, _ = issue_token(
            project_id=self.project_id,
            recipient_pk=self.pk,
            external_id=self.external_id,
            lifetime_seconds=lifetime_seconds,
        )
        return token

    async def append(self, count: int = 1, *, body: str = "Hello") -> list[LiveEvent]:
        """Commit `count` new messages and return their live events, which are not published."""
        events = []
        conn = await connect()
        async with conn:
            for _ in range(count):
                async with conn.transaction():
                    events.append(await _append_one(conn, self, body))
        self.written += events
        return events


async def _append_one(conn: Any, owner: Owner, body: str) -> LiveEvent:
    cursor = await conn.execute(
        """INSERT INTO notifications_inbox (recipient_id, epoch, "offset", unread, unseen)
           VALUES (%s, gen_random_uuid(), 1, 1, 1)
           ON CONFLICT (recipient_id) DO UPDATE SET "offset" = notifications_inbox."offset" + 1,
               unread = notifications_inbox.unread + 1, unseen = notifications_inbox.unseen + 1
           RETURNING epoch, "offset", unread, unseen""",
        [owner.pk],
    )
    epoch, offset, unread, unseen = await cursor.fetchone()
    message_id = new_uuid()
    cursor = await conn.execute(
        f"""INSERT INTO notifications_inboxmessage AS m
            (id, project_id, recipient_id, delivery_id, "offset", title, body, data)
            VALUES (%s, %s, %s, %s, %s, %s, %s, '{{"n": 1}}') RETURNING {MESSAGE_COLUMNS}""",
        [message_id, owner.project_id, owner.pk, uuid4(), offset, f"Message {offset}", body],
    )
    message = message_of(await cursor.fetchone())
    await conn.execute(
        """INSERT INTO notifications_inboxevent (recipient_id, "offset", kind, message_id)
           VALUES (%s, %s, 'message.created', %s)""",
        [owner.pk, offset, message_id],
    )
    return live_event(
        recipient_pk=owner.pk,
        epoch=epoch,
        offset=offset,
        event="message.created",
        message=message,
        unread=unread,
        unseen=unseen,
    )


@dataclass
class Client:
    """A socket's other end: remembers what it was told, and where it stands."""

    socket: ClientConnection
    events: list[dict[str, Any]] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    @property
    def offsets(self) -> list[int]:
        return [event["offset"] for event in self.events]

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def ask(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its reply; pushes that come before it are kept."""
        await self.send(frame)
        while True:
            received = await self.receive()
            if "event" not in received:
                assert received["id"] == frame.get("id")
                return received

    async def connect(self, token: str, since: Any = None) -> dict[str, Any]:
        arguments = {"token": token} if since is None else {"token": token, "since": since}
        answer = await self.ask({"id": 1, "connect": arguments})
        connected: dict[str, Any] = answer["connect"]
        return connected

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame: dict[str, Any] = json.loads(await self.socket.recv())
        if frame.get("event") == "position":
            self.positions.append(frame["offset"])
        elif "event" in frame:
            self.events.append(frame)
        return frame

    async def follow_to(self, offset: int) -> None:
        """Receive until the change with this offset has come."""
        while not self.events or self.events[-1]["offset"] < offset:
            await self.receive()

    async def next_position(self) -> int:
        count = len(self.positions)
        while len(self.positions) == count:
            await self.receive()
        return self.positions[-1]

    async def close_code(self) -> int | None:
        """Receive until the socket is closed, and return its code: 1006 without a close frame."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.receive()
        return self.socket.close_code


@asynccontextmanager
async def unread_socket(socket: ClientConnection) -> AsyncIterator[None]:
    """While inside, the client takes nothing from the network."""
    socket.transport.pause_reading()
    yield
    socket.transport.resume_reading()

"""The product's publishing side in a process of its own: rows committed to the inbox log, then `delivery.push.Pusher`.

python -m tests.bench_sockets.carillon_publisher
"""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")

import django

django.setup()

from delivery.push import Pusher  # noqa: E402
from notifications.collecting import collect_seldom  # noqa: E402
from notifications.database import connect  # noqa: E402
from notifications.events import LiveEvent  # noqa: E402
from notifications.ids import new_uuid  # noqa: E402
from notifications.inbox.reads import MESSAGE_COLUMNS, message_of  # noqa: E402
from notifications.inbox.shapes import live_event  # noqa: E402
from notifications.tokens import issue_token  # noqa: E402
from tests.bench_sockets.publisher import obey  # noqa: E402

BODY: Final = "Your parcel is on its way and should arrive on **Thursday**.\n\nTrack it any time."

_PART: Final = 10_000
_PEOPLE: Final = """
    INSERT INTO notifications_recipient (id, project_id, external_id, data)
    SELECT gen_random_uuid(), p.id, 'user-' || n, '{}' FROM (SELECT id FROM notifications_project LIMIT 1) p,
           generate_series(0, %s - 1) n
    RETURNING id, project_id, external_id"""
_HEADS: Final = """
    INSERT INTO notifications_inbox (recipient_id, epoch, "offset", unread, unseen)
    SELECT id, gen_random_uuid(), 0, 0, 0 FROM notifications_recipient"""
# Locked in the order in which everybody locks several inboxes.
_BUMP: Final = """
    WITH locked AS (SELECT recipient_id FROM notifications_inbox WHERE recipient_id = ANY(%s) ORDER BY 1 FOR UPDATE)
    UPDATE notifications_inbox i SET "offset" = "offset" + 1, unread = unread + 1, unseen = unseen + 1
    FROM locked WHERE i.recipient_id = locked.recipient_id
    RETURNING i.recipient_id, i.epoch, i."offset", i.unread, i.unseen"""
_MESSAGES: Final = f"""
    INSERT INTO notifications_inboxmessage AS m
           (id, project_id, recipient_id, delivery_id, "offset", title, body, action_url, data)
    SELECT g.id, r.project_id, g.recipient, g.id, g.at, g.title, %s, 'https://shop.example.com/orders/1042', '{{}}'
    FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::text[]) AS g (id, recipient, at, title)
    JOIN notifications_recipient r ON r.id = g.recipient RETURNING m.recipient_id, {MESSAGE_COLUMNS}"""
_EVENTS: Final = """
    INSERT INTO notifications_inboxevent (recipient_id, "offset", kind, message_id)
    SELECT recipient, at, 'message.created', id FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[]) AS g (id, recipient, at)"""


class Product:
    """Publishing as a worker does once it has stored messages: commit, then push."""

    def __init__(self) -> None:
        self._pks: list[UUID] = []
        self._pusher = Pusher()
        self._conn: Any = None

    async def people(self, *, count: int, file: str) -> None:
        """Make `count` recipients with inboxes, and a line for the clients with each one's token."""
        self._conn = await connect()
        cursor = await self._conn.execute(_PEOPLE, [count])
        rows = await cursor.fetchall()
        await self._conn.execute(_HEADS)
        await self._conn.execute("ANALYZE")
        self._pks = [row[0] for row in rows]
        lines = []
        for pk, project_id, external_id in rows:
            token, _ = issue_token(
                project_id=project_id, recipient_pk=pk, external_id=external_id, lifetime_seconds=7200
            )
            greeting = json.dumps({"id": 1, "connect": {"token": token}})
            lines.append(json.dumps({"path": "/ws/inbox", "greeting": greeting}))
        await asyncio.to_thread(Path(file).write_text, "\n".join(lines) + "\n")

    async def prepare(self, marks: Sequence[int], clients: Sequence[int]) -> list[LiveEvent]:
        """Commit a message to each of these inboxes."""
        titles = {self._pks[client]: f"Order mark-{mark};" for mark, client in zip(marks, clients, strict=True)}
        async with self._conn.transaction():
            heads = {row[0]: row[1:] for row in await self._all(_BUMP, [list(titles)])}
            ids = [new_uuid() for _ in heads]
            places = [ids, list(heads), [head[1] for head in heads.values()]]
            rows = await self._all(_MESSAGES, [BODY, *places, [titles[pk] for pk in heads]])
            await self._conn.execute(_EVENTS, places)
            events = {row[0]: self._event(row[0], heads[row[0]], row[1:]) for row in rows}
            return [events[self._pks[client]] for client in clients]

    async def publish(self, prepared: list[LiveEvent]) -> None:
        # By parts, as deliveries come: the pusher drops what is more than it keeps waiting.
        for start in range(0, len(prepared), _PART):
            self._pusher.push(prepared[start : start + _PART])
            await self._pusher.stop()

    async def trickle(self, *, first: int, seconds: float, rate: float) -> dict[str, int]:
        """Live traffic for the long run: one message after the other to everybody in turn."""
        loop, sent = asyncio.get_running_loop(), 0
        start = loop.time()
        while (now := loop.time() - start) < seconds:
            due = int(now * rate) - sent
            if due > 0:
                numbers = range(sent, sent + due)
                clients = {number * 7919 % len(self._pks): first + number for number in numbers}
                await self.publish(await self.prepare(list(clients.values()), list(clients)))
                sent += due
            await asyncio.sleep(0.02)
        return {"sent": sent}

    async def offsets(self) -> dict[str, list[int]]:
        """The heads in the database, by client."""
        rows = dict(await self._all('SELECT recipient_id, "offset" FROM notifications_inbox', []))
        return {"offsets": [rows[pk] for pk in self._pks]}

    async def _all(self, query: str, arguments: list[Any]) -> list[Any]:
        cursor = await self._conn.execute(query, arguments)
        rows: list[Any] = await cursor.fetchall()
        return rows

    def _event(self, pk: UUID, head: tuple[Any, ...], message: tuple[Any, ...]) -> LiveEvent:
        epoch, offset, unread, unseen = head
        return live_event(
            recipient_pk=pk,
            epoch=epoch,
            offset=offset,
            event="message.created",
            message=message_of(message),
            unread=unread,
            unseen=unseen,
        )


if __name__ == "__main__":
    collect_seldom()  # as a worker does
    product = Product()
    obey(product, product.people, product.trickle, product.offsets)

"""A recipient's own client of the inbox over HTTP, and what follows its event stream."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx

from notifications.database import connect
from notifications.events import access_hint
from notifications.inbox import process
from notifications.inbox.head_cache import advance
from tests.consumers.inbox import Owner

PATIENCE_SECONDS = 20


class Event(NamedTuple):
    """One server-sent event; a comment has the name ":"."""

    name: str
    id: str | None
    data: Any


@dataclass
class Member:
    """A recipient who asks with a token of its own."""

    owner: Owner
    http: httpx.AsyncClient

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.http.get(f"/v1/inbox/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str) -> Any:
        answer = await self.http.post(f"/v1/inbox/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def act(self, message: dict[str, Any], action: str) -> Any:
        return await self.post(f"messages/{message['id']}/{action}")

    async def position(self) -> dict[str, Any]:
        """As parameters of `/v1/inbox/events`."""
        counts = await self.get("counts")
        return {"since": counts["offset"], "epoch": counts["epoch"]}

    @contextlib.asynccontextmanager
    async def stream(
        self, last_event_id: str | None = None, token: str | None = None, **params: Any
    ) -> AsyncIterator[AsyncIterator[Event]]:
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        async with self.http.stream("GET", "/v1/inbox/events", headers=headers, params=params) as answer:
            if answer.status_code != 200:
                await answer.aread()
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == "text/event-stream"
            assert answer.headers["cache-control"] == "no-store"
            async with contextlib.aclosing(_events(answer)) as events:
                yield events


async def _events(answer: httpx.Response) -> Any:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line == "":
            if "data" in fields:
                yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}
        elif line.startswith(":"):
            yield Event(":", None, None)
        else:
            name, _, value = line.partition(": ")
            assert name not in fields
            fields[name] = value


async def following(events: AsyncIterator[Event]) -> Event:
    """The next event."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await anext(events)


async def changes_up_to(events: AsyncIterator[Event], offset: int) -> list[Event]:
    """What comes until the change with this offset has come, comments aside."""
    found: list[Event] = []
    while not found or found[-1].data["offset"] < offset:
        event = await following(events)
        if event.name != ":":
            found.append(event)
    return found


def watchers_of(owner: Owner) -> int:
    """How many clients the server under test, which is in this process, keeps waiting for this recipient."""
    door = process._Process.door
    assert door is not None
    return len(door.watch._watchers.get(owner.pk, ()))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 (what is waited for is in another thread)
            await asyncio.sleep(0.02)


async def new_epoch(owner: Owner) -> None:
    async with await connect() as conn:
        await conn.execute(
            "UPDATE notifications_inbox SET epoch = gen_random_uuid() WHERE recipient_id = %s", [owner.pk]
        )
    await advance([access_hint(owner.pk)])  # else what is kept of the head is found out only when its time ends

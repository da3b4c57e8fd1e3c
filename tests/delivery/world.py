"""A project in the test database: what callers submit and what became of it, over one connection of the test's own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import UUID

from psycopg.rows import dict_row

from notifications import ids
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.intake.requests import Answer, Request
from notifications.intake.submission import parse_submission
from notifications.intake.writer import Connection, write
from notifications.sealing import seal

T = TypeVar("T")
Row = dict[str, Any]

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LIMIT_SECONDS: Final = 30.0


@dataclass
class World:
    """Everything a test of the engine needs to submit and to look at."""

    connection: Connection
    project_id: UUID

    async def accept(self, recipients: Sequence[Any], channels: Sequence[str] = ("in_app",), **more: Any) -> UUID:
        """Accept one notification as intake does."""
        return (await self.accept_many([recipients], channels, **more))[0]

    async def accept_many(
        self, recipients: Sequence[Sequence[Any]], channels: Sequence[str] = ("in_app",), **more: Any
    ) -> list[UUID]:
        """Accept one notification per entry, in one transaction."""
        known = replace(conf(), channels=frozenset({"in_app", "email", "webhook"}))
        submissions = [
            parse_submission(
                {
                    "recipients": list(names),
                    "channels": list(channels),
                    "content": {"title": "Hi", "body": "there"},
                    **more,
                },
                project_id=self.project_id,
                conf=known,
                now=utc_now(),
            )
            for names in recipients
        ]
        request = Request(self.project_id, submissions, lambda faults: Answer(202, b"{}"))
        assert await write(self.connection, [request], keep_hours=24) == [Answer(202, b"{}")]
        return [submission.id for submission in submissions]

    async def add_recipients(self, *names: str) -> list[UUID]:
        """Recipients that are known already."""
        fresh = [ids.new_uuid() for _ in names]
        await self.connection.execute(
            "INSERT INTO notifications_recipient (id, project_id, external_id, data)"
            " SELECT id, %s, name, '{}' FROM unnest(%s::uuid[], %s::text[]) AS g (id, name)",
            (self.project_id, fresh, list(names)),
        )
        return fresh

    async def add_endpoint(self, recipient_id: UUID, url: str) -> UUID:
        """An enabled webhook endpoint that signs with SECRET."""
        endpoint_id = ids.new_uuid()
        await self.connection.execute(
            "INSERT INTO notifications_endpoint (id, project_id, recipient_id, channel, url, sealed_secret, state,"
            " disabled_reason) VALUES (%s, %s, %s, 'webhook', %s, %s, 'enabled', '')",
            (endpoint_id, self.project_id, recipient_id, url, seal(SECRET)),
        )
        return endpoint_id

    async def add_topic(self, key: str, members: Sequence[UUID]) -> None:
        """A topic with these recipients."""
        topic_id = ids.new_uuid()
        await self.connection.execute(
            "INSERT INTO notifications_topic (id, project_id, key, name) VALUES (%s, %s, %s, '')",
            (topic_id, self.project_id, key),
        )
        await self.connection.execute(
            "INSERT INTO notifications_subscription (id, topic_id, recipient_id)"
            " SELECT id, %s, member FROM unnest(%s::uuid[], %s::uuid[]) AS g (id, member)",
            (topic_id, [ids.new_uuid() for _ in members], list(members)),
        )

    async def rows(self, sql: str, *values: Any) -> list[Row]:
        """The rows of a query by column name."""
        async with self.connection.cursor(row_factory=dict_row) as cursor:
            return await (await cursor.execute(sql, values)).fetchall()

    async def deliveries(self, notification_id: UUID | None = None) -> list[Row]:
        """Deliveries of one notification, or all."""
        return await self.rows(
            "SELECT d.*, r.external_id AS recipient FROM delivery_delivery d"
            " LEFT JOIN notifications_recipient r ON r.id = d.recipient_id"
            " WHERE %s::uuid IS NULL OR notification_id = %s ORDER BY d.id",
            notification_id,
            notification_id,
        )

    async def delivery(self, notification_id: UUID) -> Row:
        """The only delivery of a notification."""
        (row,) = await self.deliveries(notification_id)
        return row

    async def attempts(self, delivery_id: UUID) -> list[Row]:
        return await self.rows("SELECT * FROM delivery_attempt WHERE delivery_id = %s ORDER BY number", delivery_id)

    async def notification(self, notification_id: UUID) -> Row:
        (row,) = await self.rows("SELECT * FROM notifications_notification WHERE id = %s", notification_id)
        return row

    async def end_leases(self) -> None:
        """What is leased, or waits for a retry, is due now: as if that much time had passed."""
        for table in ("delivery_delivery", "notifications_notification"):
            await self.connection.execute(f"UPDATE {table} SET available_at = now() WHERE available_at > now()")

    async def wait_for_lock(self, pid: int) -> None:
        """Until that server process waits for somebody's lock."""

        async def waits() -> bool:
            rows = await self.rows("SELECT wait_event_type = 'Lock' AS waits FROM pg_stat_activity WHERE pid = %s", pid)
            return bool(rows and rows[0]["waits"])

        await until(waits, what="the other connection to wait for a lock")

    async def wait_for_states(self, notification_id: UUID | None, *states: str) -> list[Row]:
        """The deliveries once all are in one of these states."""

        async def reached() -> list[Row] | None:
            rows = await self.deliveries(notification_id)
            return rows if rows and all(row["state"] in states for row in rows) else None

        return await until(reached, what=f"states {states}")


async def until(probe: Callable[[], Awaitable[T | None]], *, what: str) -> T:
    """Ask until the answer is true; gives the answer."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            if answer := await probe():
                return answer
            await asyncio.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def unheard(channels: set[str]) -> None:
    """For routing when nobody waits to hear which channels got work."""

"""Workflows by the real engine under a clock in the test's hands: published, asked for, walked and stored in inboxes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from delivery import in_app
from delivery.conf import DeliveryConf
from delivery.route import route
from delivery.runs.stage import walk_due
from delivery.services import cancel_notification
from deploy.simulation.clock import aset_clock
from notifications import ids
from notifications.conf import conf
from notifications.executor import in_thread
from notifications.intake.requests import Answer, Request
from notifications.intake.submission import parse_submission
from notifications.intake.writer import write
from tests.delivery.world import Row, World, unheard

CONF = DeliveryConf()
START = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
CHANNELS = frozenset({"in_app", "email", "webhook"})


def bell(**more: Any) -> dict[str, Any]:
    """A step that says something in the inbox."""
    return {"key": "bell", "type": "in_app", "template": {"title": "{{ data.text }}", "body": "b"}, **more}


def listed(**more: Any) -> dict[str, Any]:
    """A step that shows what is in a digest: `2: one two`."""
    title = "{{ total_items }}:{% for item in items %} {{ item.data.text }}{% endfor %}"
    return {"key": "list", "type": "in_app", "template": {"title": title, "body": "b"}, **more}


def digest(**more: Any) -> dict[str, Any]:
    return {"key": "wait", "type": "digest", "window": {"for": "PT30M"}, **more}


@dataclass
class Flow:
    """One project's workflows, and the clock."""

    world: World
    now: datetime = START
    versions: dict[str, UUID] = field(default_factory=dict)

    async def publish(self, key: str, steps: list[dict[str, Any]], **more: Any) -> UUID:
        """Publish a version with these steps."""
        connection, version = self.world.connection, ids.new_uuid()
        definition = msgspec.json.encode({"name": key.title(), "steps": steps, **more}).decode()
        found = await self.world.rows("SELECT id FROM notifications_workflow WHERE key = %s", key)
        workflow = found[0]["id"] if found else ids.new_uuid()
        if not found:
            await connection.execute(
                "INSERT INTO notifications_workflow (id, project_id, key) VALUES (%s, %s, %s)",
                (workflow, self.world.project_id, key),
            )
        await connection.execute(
            "UPDATE notifications_workflowversion SET state = 'superseded' WHERE workflow_id = %s", (workflow,)
        )
        await connection.execute(
            "INSERT INTO notifications_workflowversion (id, workflow_id, number, definition, state, published_at)"
            " SELECT %s, %s, 1 + count(*), %s, 'published', now() FROM notifications_workflowversion WHERE workflow_id = %s",
            (version, workflow, definition, workflow),
        )
        await connection.execute(
            "UPDATE notifications_workflow SET published_version_id = %s WHERE id = %s", (version, workflow)
        )
        self.versions[key] = version
        return version

    async def ask(self, key: str, *recipients: Any, text: str = "", **more: Any) -> UUID:
        """Accept a notification of this workflow, and route it."""
        notification = await self.accept(key, *recipients, text=text, **more)
        await self.route()
        return notification

    async def accept(self, key: str, *recipients: Any, text: str = "", **more: Any) -> UUID:
        """Accept a notification of this workflow."""
        data = {"text": text, **more.pop("data", {})}
        submission = parse_submission(
            {"workflow": key, "recipients": list(recipients) or ["u1"], "data": data, **more},
            project_id=self.world.project_id,
            conf=replace(conf(), channels=CHANNELS),
            now=self.now,
        )
        request = Request(self.world.project_id, [submission], _accepted)
        assert await write(self.world.connection, [request], keep_hours=24) == [Answer(202, b"{}")]
        await self.world.connection.execute(
            "UPDATE notifications_notification SET available_at = now(), created_at = now() WHERE id = %s",
            (submission.id,),
        )
        return submission.id

    async def route(self) -> None:
        while await route(self.world.connection, CONF, unheard):
            pass

    async def run(self) -> None:
        """Everything that is due now: routed, walked, stored."""
        await self.route()
        while True:
            walked, _ = await walk_due(self.world.connection, limit=50)
            stored, _ = await in_app.deliver(self.world.connection, limit=100)
            if not walked and not stored:
                return

    async def pass_time(self, **delta: float) -> None:
        """Put the clock forward, doing what is due at every moment at which something is."""
        await self.go_to(self.now + timedelta(**delta))

    async def go_to(self, moment: datetime) -> None:
        while True:
            await self.run()
            rows = await self.world.rows(
                "SELECT min(at) AS at FROM (SELECT available_at AS at FROM delivery_run UNION ALL"
                " SELECT available_at FROM delivery_delivery WHERE channel = 'in_app' UNION ALL"
                " SELECT available_at FROM notifications_notification) AS open WHERE at > now()"
            )
            at = rows[0]["at"]
            if at is None or at > moment:
                break
            await self.set(at)
        await self.set(moment)
        await self.run()

    async def set(self, moment: datetime) -> None:
        self.now = moment
        await aset_clock(self.world.connection, moment)

    async def cancel(self, notification_id: UUID) -> None:
        await in_thread(cancel_notification, notification_id=notification_id, project_id=self.world.project_id)

    async def titles(self, recipient: str = "u1") -> list[str]:
        """What is in that inbox, oldest first."""
        rows = await self.world.rows(
            "SELECT m.title FROM notifications_inboxmessage m JOIN notifications_recipient r ON r.id = m.recipient_id"
            ' WHERE r.external_id = %s ORDER BY m."offset"',
            recipient,
        )
        return [row["title"] for row in rows]

    async def runs(self, *states: str) -> list[Row]:
        return await self.world.rows(
            "SELECT * FROM delivery_run WHERE %s = '{}' OR state = ANY(%s) ORDER BY id", list(states), list(states)
        )

    async def told(self) -> Sequence[tuple[str, str, str, str]]:
        """Recipient, channel, state and reason of every delivery."""
        rows = await self.world.deliveries()
        return [(row["recipient"], row["channel"], row["state"], row["reason"]) for row in rows]


def _accepted(faults: dict[int, Any]) -> Answer:
    assert not faults, faults
    return Answer(202, b"{}")

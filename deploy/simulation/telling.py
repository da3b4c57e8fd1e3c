"""What the tables say when a simulation is over, as the entries of a story."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg.rows import dict_row

from delivery.runs.steps import AFTER_QUIET
from deploy.simulation.driving import Driver
from deploy.simulation.story import Batch, Entry
from deploy.simulation.teller import Teller
from deploy.simulation.watching import Watch

Row = dict[str, Any]

_NOTIFICATIONS: Final = """
    SELECT id, workflow, content->>'title' AS title, recipients, created_at, metadata->>'schedule' AS schedule, status, reason,
           available_at, send_at FROM notifications_notification ORDER BY created_at, id"""
_DELIVERIES: Final = """
    SELECT d.*, r.external_id AS recipient, m.title, o.workflow,
           (SELECT a.response->>'detail' FROM delivery_attempt a WHERE a.delivery_id = d.id ORDER BY a.number DESC LIMIT 1) AS detail
      FROM delivery_delivery d
      JOIN notifications_recipient r ON r.id = d.recipient_id
      JOIN notifications_notification o ON o.id = d.notification_id
      LEFT JOIN notifications_inboxmessage m ON m.delivery_id = d.id ORDER BY d.id"""
_ITEMS: Final = """
    SELECT i.*, r.external_id AS recipient, d.key, d.opened_at, d.closed_at, d.closes_at FROM schedules_digestitem i
      JOIN schedules_digest d ON d.id = i.digest_id JOIN notifications_recipient r ON r.id = i.recipient_id ORDER BY i.id"""
_RUNS: Final = """
    SELECT u.*, r.external_id AS recipient FROM delivery_run u JOIN notifications_recipient r ON r.id = u.recipient_id ORDER BY u.id"""
_TIMES: Final = """
    SELECT s.key, t.occurrence, t.outcome, t.reason, t.created_at FROM schedules_schedulerun t
      JOIN schedules_schedule s ON s.id = t.schedule_id WHERE t.outcome <> 'fired' ORDER BY t.id"""


async def tell(driver: Driver, watch: Watch, others: Iterable[Entry]) -> tuple[tuple[Entry, ...], tuple[Batch, ...]]:
    """Everything that happened, in order, `others` included; and the digests."""
    async with driver.connection.cursor(row_factory=dict_row) as cursor:

        async def rows(sql: str) -> Sequence[Row]:
            return await (await cursor.execute(sql)).fetchall()

        items = await rows(_ITEMS)
        teller = Teller(driver, watch, await rows(_NOTIFICATIONS), items)
        entries = [
            *others,
            *teller.asked(),
            *teller.items(),
            *teller.walks(await rows(_RUNS)),
            *teller.deliveries(await rows(_DELIVERIES)),
            *teller.times(await rows(_TIMES)),
        ]
    return tuple(sorted(entries, key=teller.place)), _batches(items)


def _batches(items: Sequence[Row]) -> tuple[Batch, ...]:
    found: dict[UUID, list[Row]] = defaultdict(list)
    for item in items:
        found[item["digest_id"]].append(item)
    batches = [
        Batch(
            recipient=first["recipient"],
            step=first["step"].removesuffix(AFTER_QUIET),
            key=first["key"],
            opened=first["opened_at"],
            closed=first["closed_at"],
            joined=tuple(item["joined_at"] for item in (first, *others)),
        )
        for first, *others in found.values()
    ]
    return tuple(sorted(batches, key=lambda batch: (batch.opened, batch.recipient, batch.step, batch.key)))

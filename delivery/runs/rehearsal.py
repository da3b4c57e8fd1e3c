"""The dry run of a workflow: accepted, routed and walked for real, in a transaction that is rolled back.

So the plan is what the engine does and not a second opinion about it. Of a topic the first hundred members walk; what waits is
shown with its time and not waited for.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from delivery.conf import DeliveryConf
from delivery.explain.walks import explain_item, explain_run
from delivery.models import Run
from delivery.route import Routing, route_claimed
from delivery.runs.rows import versions_of
from notifications import ids
from notifications.database import UNREACHABLE, connect
from notifications.errors import CarillonError, Invalid, Unavailable
from notifications.intake.requests import Answer, Request
from notifications.intake.submission import Submission
from notifications.intake.writer import write
from notifications.models import Recipient
from notifications.preferences.deciding import DEFAULT
from notifications.texts import optional_time
from schedules.models import Digest, DigestItem

Connection = AsyncConnection[TupleRow]
Row = dict[str, Any]

MOST_OF_A_TOPIC: Final = 100

_HOLD: Final = """
    UPDATE notifications_notification SET lease_token = %s WHERE id = %s
    RETURNING recipients, channels, category, critical, expires_at, workflow, workflow_version_id"""
_KNOWN: Final = "SELECT external_id FROM notifications_recipient WHERE project_id = %s AND external_id = ANY(%s)"
_DELIVERIES: Final = """
    SELECT r.external_id, r.email, d.channel, d.state, d.reason, d.endpoint_id, d.step, d.decision, d.available_at
      FROM delivery_delivery d JOIN notifications_recipient r ON r.id = d.recipient_id
     WHERE d.notification_id = %s ORDER BY d.id"""
_RUNS: Final = """
    SELECT u.*, r.external_id FROM delivery_run u JOIN notifications_recipient r ON r.id = u.recipient_id
     WHERE u.notification_id = %s ORDER BY u.id"""
_DIGESTS: Final = """
    SELECT d.*, r.external_id FROM schedules_digestitem i JOIN schedules_digest d ON d.id = i.digest_id
      JOIN notifications_recipient r ON r.id = i.recipient_id WHERE i.notification_id = %s ORDER BY i.id"""


async def rehearse(submission: Submission, conf: DeliveryConf) -> dict[str, Any]:
    """`{"entries", "runs", "digests"}`. Raises `Invalid` as accepting it would, and `Unavailable` without PostgreSQL."""
    try:
        connection = await connect()
    except UNREACHABLE as error:
        raise Unavailable("The database does not answer. Try again.") from error
    try:
        async with connection.transaction(force_rollback=True):
            known = await _known(connection, submission)
            await _accept(connection, submission)
            await _route(connection, submission, replace(conf, route_chunk=MOST_OF_A_TOPIC))
            return await _shown(connection, submission, known)
    finally:
        await connection.close()


async def _known(connection: Connection, submission: Submission) -> set[str]:
    names = [entry for entry in submission.entries if isinstance(entry, str)]
    cursor = await connection.execute(_KNOWN, (submission.project_id, names))
    return {row[0] for row in await cursor.fetchall()}


async def _accept(connection: Connection, submission: Submission) -> None:
    def answer(faults: Mapping[int, Invalid]) -> Answer:
        if faults:
            raise faults[0]
        return Answer(202, b"")

    (outcome,) = await write(connection, [Request(submission.project_id, [submission], answer)], keep_hours=1)
    if isinstance(outcome, CarillonError):
        raise outcome


async def _route(connection: Connection, submission: Submission, conf: DeliveryConf) -> None:
    token = ids.new_uuid()
    row = await (await connection.execute(_HOLD, (token, submission.id))).fetchone()
    assert row is not None
    recipients, channels, category, critical, expires_at, workflow, version_id = row
    routing = Routing(
        id=submission.id,
        token=token,
        project_id=submission.project_id,
        recipients=recipients,
        channels=channels,
        category=category,
        critical=critical,
        expires_at=expires_at,
        cursor=None,
        workflow=workflow,
        version_id=version_id,
    )
    await route_claimed(connection, [routing], conf, lambda channels: None)


async def _shown(connection: Connection, submission: Submission, known: set[str]) -> dict[str, Any]:
    deliveries = await _rows(connection, _DELIVERIES, submission.id)
    runs = await _rows(connection, _RUNS, submission.id)
    versions = await versions_of(connection, (row["version_id"] for row in runs))
    keys = {version.id: tuple(step.key for step in version.definition.steps) for version in versions.values()}
    return {
        "entries": _entries(submission, deliveries, known),
        "runs": [explain_run(_run(row), keys[row["version_id"]]) for row in runs if row["digest_id"] is None],
        "digests": [explain_item(_item(row)) for row in await _rows(connection, _DIGESTS, submission.id)],
    }


async def _rows(connection: Connection, statement: str, notification_id: UUID) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(statement, (notification_id,))).fetchall()


def _entries(submission: Submission, deliveries: list[Row], known: set[str]) -> list[dict[str, Any]]:
    """Whoever was not named came with a topic."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in deliveries:
        by_name[row["external_id"]].append(row)
    named = [entry for entry in submission.entries if isinstance(entry, str)]
    others = [name for name in by_name if name not in named]
    entries = [{"entry": e, "count": 1, "recipients": [_recipient(e, by_name[e], e in known)]} for e in named]
    for topic in [entry for entry in submission.entries if not isinstance(entry, str)]:
        found = [_recipient(name, by_name[name], True) for name in others]
        entries.append({"entry": topic, "count": len(found), "recipients": found})
        others = []
    return entries


def _recipient(name: str, rows: list[Row], known: bool) -> dict[str, Any]:
    return {"recipient": name, "known": known, "ways": [_way(row) for row in rows]}


def _way(row: Row) -> dict[str, Any]:
    decided = row["decision"] or {}
    waits = row["state"] == "scheduled"
    return {
        "channel": row["channel"],
        "step": row["step"],
        "delivers": row["state"] in ("queued", "scheduled"),
        "address": row["email"] if row["channel"] == "email" else None,
        "endpoint": ids.encode("end", row["endpoint_id"]) if row["endpoint_id"] else None,
        "reason": row["reason"] or None,
        "preference": decided.get("level", DEFAULT),
        "overruled": decided.get("overruled"),
        "not_before": optional_time(row["available_at"]) if waits else None,
    }


def _run(row: Row) -> Run:
    values = {name: row[name] for name in ("id", "state", "reason", "position", "digest_id", "log", "available_at")}
    return Run(recipient=Recipient(external_id=row["external_id"]), **values)


def _item(row: Row) -> DigestItem:
    names = ("id", "step", "key", "count", "closes_at", "closed_at")
    digest = Digest(**{name: row[name] for name in names})
    return DigestItem(digest=digest, step=row["step"], recipient=Recipient(external_id=row["external_id"]))

"""Claiming: one statement that takes due rows under a lease and writes their attempts, before any network is touched.

The lease is `available_at` itself, moved ahead: a row whose lease has run out is simply due again, so there is no
separate reaper. Only the database's clock counts. Each claim carries a fresh `lease_token`, which is also the
attempt's id; a finish without the current token changes nothing. `SKIP LOCKED` keeps claimers out of each other's way.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.due import FIRST_PROJECT, due_rows
from delivery.states import State
from delivery.status_events.recording import DELIVERY_COLUMNS, delivery_facts, recording
from notifications import ids

Connection = AsyncConnection[TupleRow]


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery that this process may attempt until its lease ends."""

    delivery_id: UUID
    token: UUID
    notification_id: UUID
    attempt: int
    retry_step: int
    since: datetime  # made, or put back in the queue by a replay
    endpoint_id: UUID | None
    recipient_id: UUID
    critical: bool
    preferences: str | None  # the recipient's own, as JSON; None: nothing was ever said
    defaults: str | None  # the project's, where the recipient has any
    recipient: str | None  # None: erased meanwhile
    name: str | None
    email: str | None
    url: str | None
    sealed_secret: str | None
    endpoint_state: str | None
    sealed_old_secret: str | None  # None: no rotation in the last 24 h
    sealed_headers: str | None
    retry_seconds: list[int] | None  # None: the channel's schedule
    project_id: UUID
    trips: int | None
    """How often the endpoint's circuit opened in a row, above 0: half open now; None: no trouble known."""
    step: str | None = None
    """Of a workflow, with the round of one that repeats; None: a plain notification."""
    digest_id: UUID | None = None
    locale: str | None = None
    suppressed: str = ""
    """Why the address must not be written to any more, as a delivery's reason."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a notification says; the same for all its deliveries, so it is read once per process."""

    content: dict[str, Any]
    data: dict[str, Any]
    workflow: str | None
    category: str | None
    actor: str | None
    created_at: datetime
    project_id: UUID
    thread: str | None
    version_id: UUID | None = None
    """Of its workflow; None: a plain notification."""


_SPREAD_SECONDS: Final = 2.0  # over which what waited for a probe comes back

_CLAIM: Final = f"""
    WITH {due_rows("delivery_delivery", where="channel = %(channel)s")},
    judged AS (
        SELECT due.id, due.n, t.trips, t.held_until,
               CASE WHEN d.expires_at <= now() THEN 'expired' WHEN d.claims >= %(max_claims)s THEN 'failed'
                    WHEN t.held_until > now() THEN CASE WHEN d.attempt_count > 0 THEN 'retrying' ELSE 'queued' END
                    ELSE 'sending' END AS state
          FROM due JOIN delivery_delivery d USING (id)
          LEFT JOIN delivery_endpointtrouble t ON t.endpoint_id = d.endpoint_id),
    claimed AS (
        UPDATE delivery_delivery d
           SET state = j.state,
               reason = CASE j.state WHEN 'expired' THEN 'expires_at_passed' WHEN 'failed' THEN 'poison' WHEN 'sending' THEN ''
                                     ELSE 'circuit_open' END,
               available_at = CASE WHEN j.state = 'sending' THEN now() + make_interval(secs => %(lease)s)
                                   WHEN j.state IN ('queued', 'retrying')
                                   THEN j.held_until + random() * make_interval(secs => %(spread)s) END,
               finished_at = CASE WHEN j.state IN ('expired', 'failed') THEN now() END,
               lease_token = CASE j.state WHEN 'sending' THEN (%(tokens)s::uuid[])[j.n] END,
               claims = d.claims + (j.state NOT IN ('queued', 'retrying'))::int,
               attempt_count = d.attempt_count + CASE j.state WHEN 'sending' THEN 1 ELSE 0 END
          FROM judged j WHERE d.id = j.id
        RETURNING d.lease_token, d.retry_step, coalesce(d.replayed_at, d.created_at) AS since, d.critical, d.step, d.digest_id, j.trips, {DELIVERY_COLUMNS}),
    {recording(delivery_facts("claimed"))},
    noted AS (
        INSERT INTO delivery_attempt (id, delivery_id, number)
        SELECT lease_token, id, attempt_count FROM claimed WHERE state = 'sending')
    SELECT c.id, c.lease_token, c.notification_id, c.attempt_count, c.retry_step, c.since, c.endpoint_id,
           c.recipient_id, c.critical, p.settings::text,
           (SELECT s.preferences::text FROM notifications_projectsettings s
             WHERE s.project_id = c.project_id AND p.settings IS NOT NULL),
           r.external_id, r.name, r.email, e.url, e.sealed_secret, e.state,
           CASE WHEN e.old_secret_until > now() THEN e.sealed_old_secret END, e.sealed_headers, e.retry_seconds, c.project_id,
           c.trips, c.step, c.digest_id, r.locale, c.state
      FROM claimed c
      LEFT JOIN notifications_recipient r ON r.id = c.recipient_id
      LEFT JOIN notifications_endpoint e ON e.id = c.endpoint_id
      LEFT JOIN notifications_recipientpreferences p ON p.recipient_id = c.recipient_id
     ORDER BY c.critical DESC"""  # noqa: S608 - composed of our own text

_READ_MESSAGES: Final = """
    SELECT id, content, data, workflow, category, actor, created_at, project_id, thread, workflow_version_id
      FROM notifications_notification WHERE id = ANY(%s)"""


async def claim(
    connection: Connection,
    *,
    channel: str,
    limit: int,
    lease_seconds: float,
    max_claims: int,
    after: UUID = FIRST_PROJECT,
) -> tuple[int, list[Claim]]:
    """Take up to `limit` due deliveries of `channel`: how many rows were looked at, and those to attempt.

    Rows past their `expires_at` end as `expired`, rows claimed too often without an outcome as `failed` (`poison`). Rows for
    an endpoint whose circuit is open wait until it may be probed, untouched. The projects' round begins after `after`.
    """
    cursor = await connection.execute(
        _CLAIM,
        {
            "channel": channel,
            "limit": limit,
            "lease": lease_seconds,
            "max_claims": max_claims,
            "spread": _SPREAD_SECONDS,
            "after": after,
            "tokens": [ids.new_uuid() for _ in range(limit)],
        },
        prepare=True,
    )
    rows = await cursor.fetchall()
    return len(rows), [Claim(*row[:-1]) for row in rows if row[-1] == State.SENDING]


async def read_messages(connection: Connection, notification_ids: list[UUID]) -> dict[UUID, Message]:
    """What these notifications say."""
    cursor = await connection.execute(_READ_MESSAGES, (notification_ids,), prepare=True)
    return {row[0]: Message(*row[1:]) for row in await cursor.fetchall()}

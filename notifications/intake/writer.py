"""The one transaction that accepts: idempotency keys, recipients and notifications of everybody who is waiting.

Order of locks is the same in every transaction (keys sorted, then recipients sorted), so that writers of several processes
cannot deadlock. Nothing is published from here; whoever called rings the bell after the commit.
"""

import contextlib
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from notifications import ids
from notifications.errors import CarillonError, Fault, Invalid
from notifications.intake.keys import claim_keys
from notifications.intake.requests import Answer, Judged, Outcome, Request
from notifications.intake.submission import RECIPIENT_FIELDS, RecipientIn, Submission
from notifications.intake.workflows import find_published, follow

Connection = AsyncConnection[TupleRow]


_KNOWN_TOPICS: Final = """
    SELECT t.project_id, t.key FROM notifications_topic t
      JOIN (SELECT DISTINCT * FROM unnest(%s::uuid[], %s::text[])) AS asked (project_id, key) USING (project_id, key)"""
UPSERT_RECIPIENTS: Final = """
    INSERT INTO notifications_recipient AS mine (id, project_id, external_id, email, phone, name, locale, timezone, data)
    SELECT id, project_id, external_id, email, phone, name, locale, timezone, coalesce(data, '{}')
      FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::text[])
           AS given (id, project_id, external_id, email, phone, name, locale, timezone, data, mask)
    ON CONFLICT (project_id, external_id) DO NOTHING"""
_UPDATE_RECIPIENTS: Final = """
    UPDATE notifications_recipient AS mine SET {sets}, updated_at = now()
      FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::text[])
           AS given (id, project_id, external_id, email, phone, name, locale, timezone, data, mask)
     WHERE mine.project_id = given.project_id AND mine.external_id = given.external_id AND mine.id <> given.id
       AND ({changes})""".format(  # noqa: S608 - composed of this module's own column names
    sets=", ".join(
        f"{name} = CASE WHEN given.mask LIKE '%%|{name}|%%' THEN given.{name} ELSE mine.{name} END"
        for name in RECIPIENT_FIELDS
    ),
    changes=" OR ".join(
        f"given.mask LIKE '%%|{name}|%%' AND mine.{name} IS DISTINCT FROM given.{name}" for name in RECIPIENT_FIELDS
    ),
)
_COLUMNS: Final = (
    "id, project_id, workflow, workflow_version_id, category, critical, quiet_hours, actor, thread, recipients, content, channels, "
    "data, metadata, cancellation_key, send_at, expires_at, created_at, api_key_id"
)
_encode = msgspec.json.Encoder().encode


def _json(value: Any) -> str:
    return _encode(value).decode()


async def write(connection: Connection, requests: list[Request], *, keep_hours: int) -> list[Outcome]:
    """Accept everything in one transaction and say the outcome of each request, in order.

    Raises psycopg errors; then nothing of the batch was written.
    """
    alone = connection.info.transaction_status == TransactionStatus.IDLE and _is_one_copy(requests)
    async with contextlib.nullcontext() if alone else connection.transaction():
        outcomes = await _answers(connection, requests)
        await claim_keys(connection, requests, outcomes, keep_hours)
        fresh = [
            submission
            for request, outcome in zip(requests, outcomes, strict=True)
            if isinstance(outcome[0], Answer) and not outcome[0].replayed
            for index, submission in enumerate(request.submissions)
            if index not in outcome[1]
        ]
        await _upsert_recipients(connection, fresh)
        await _copy(connection, fresh)
    return [outcome for outcome, _ in outcomes]


def _is_one_copy(requests: list[Request]) -> bool:
    """Whether all that is to be written is one COPY, which is a transaction by itself: two round trips fewer."""
    return not any(
        request.idempotency or any(s.upserts or s.topics or s.send_at for s in request.submissions)
        for request in requests
    )


async def _answers(connection: Connection, requests: list[Request]) -> list[Judged]:
    """Each request's answer after the checks that need the database, with the submissions that failed them."""
    asked = [(s.project_id, key) for r in requests for s in r.submissions for _, key in s.topics]
    known: set[tuple[UUID, str]] = set()
    if asked:
        cursor = await connection.execute(_KNOWN_TOPICS, ([p for p, _ in asked], [k for _, k in asked]))
        known = {(project, key) for project, key in await cursor.fetchall()}
    published = await find_published(connection, (s for r in requests for s in r.submissions))
    outcomes: list[Judged] = []
    for request in requests:
        faults = {}
        for index, submission in enumerate(request.submissions):
            wrong = [
                Fault(f"/recipients/{at}/topic", "No topic has this key.")
                for at, key in submission.topics
                if (submission.project_id, key) not in known
            ]
            if submission.body.workflow is not None:
                wrong += follow(submission, published.get((submission.project_id, submission.body.workflow)))
            if wrong:
                faults[index] = Invalid(wrong)
        try:
            outcomes.append((request.answer(faults), faults))
        except CarillonError as error:
            outcomes.append((error, faults))
    return outcomes


async def _upsert_recipients(connection: Connection, submissions: list[Submission]) -> None:
    """Insert unknown recipients given in line and change what differs in known ones; the last mention wins."""
    merged: dict[tuple[UUID, str], dict[str, Any]] = {}
    for submission in submissions:
        for given in submission.upserts:
            merged.setdefault((submission.project_id, given.id), {}).update(_given(given))
    if merged:
        columns = recipient_columns(merged)
        await connection.execute(UPSERT_RECIPIENTS, columns)
        await connection.execute(_UPDATE_RECIPIENTS, columns)


def _given(recipient: RecipientIn) -> dict[str, Any]:
    return {name: value for name in RECIPIENT_FIELDS if (value := getattr(recipient, name)) is not msgspec.UNSET}


def recipient_columns(merged: dict[tuple[UUID, str], dict[str, Any]]) -> list[list[Any]]:
    """Arrays for `UPSERT_RECIPIENTS`, sorted by key so that every transaction locks in the same order."""
    rows = [
        (
            ids.new_uuid(),
            project_id,
            external_id,
            *(fields.get(name) for name in RECIPIENT_FIELDS[:-1]),
            _json(fields["data"]) if fields.get("data") is not None else None,
            "|" + "|".join(fields) + "|",
        )
        for (project_id, external_id), fields in sorted(merged.items())
    ]
    return [list(column) for column in zip(*rows, strict=True)]


async def _copy(connection: Connection, submissions: list[Submission]) -> None:
    """Write the notifications. What is due at once gets its `available_at` from the database's clock."""
    due = [submission for submission in submissions if submission.send_at is None]
    later = [submission for submission in submissions if submission.send_at is not None]
    for group, columns in ((due, _COLUMNS), (later, f"{_COLUMNS}, available_at")):
        if not group:
            continue
        cursor = connection.cursor()
        async with cursor.copy(f"COPY notifications_notification ({columns}) FROM STDIN") as copy:
            for submission in group:
                await copy.write_row(_row(submission))


def _row(submission: Submission) -> tuple[Any, ...]:
    body = submission.body
    row = (
        submission.id,
        submission.project_id,
        body.workflow,
        submission.version.id if submission.version else None,
        submission.category,
        submission.critical,
        body.quiet_hours,
        body.actor,
        body.thread,
        _json(submission.entries),
        _json(body.content or {}),
        "{" + ",".join(body.channels or ()) + "}",
        _json(body.data),
        _json(body.metadata),
        body.cancellation_key,
        submission.send_at,
        submission.expires_at,
        submission.created_at,
        submission.key_id,
    )
    return row if submission.send_at is None else (*row, submission.send_at)


async def check(connection: Connection, submission: Submission) -> None:
    """The checks that need the database, without writing anything. Raises `Invalid`."""
    request = Request(submission.project_id, [submission], lambda faults: Answer(202, b""))
    for _, faults in await _answers(connection, [request]):
        for fault in faults.values():
            raise fault

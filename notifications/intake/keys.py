"""Idempotency keys inside the accepting transaction: whoever asks again is told what was told before.

The key is inserted by the transaction that writes the notification, so there is no moment at which one exists without the
other. A second request waits on the unique index until the first has committed, then finds its answer. It does not wait
long, for others are in its group: then the first is still in flight.
"""

from dataclasses import replace
from typing import Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable
from psycopg.rows import TupleRow

from notifications.errors import InFlight, KeyReused
from notifications.intake.requests import Answer, Judged, Outcome, Request

Connection = AsyncConnection[TupleRow]
Name = tuple[UUID, str]

# The limit on waiting holds for this statement alone and costs no round trip: it is set before the first row is inserted,
# and taken back by the second half of the union, which is read after all of the first.
_CLAIM_KEYS: Final = """
    WITH taken AS (
        INSERT INTO notifications_idempotencykey AS mine (project_id, key, fingerprint, status, response, headers)
        SELECT given.* FROM (SELECT set_config('lock_timeout', '400ms', true)) AS limited,
               unnest(%s::uuid[], %s::text[], %s::text[], %s::smallint[], %s::text[], %s::jsonb[]) AS given
        ON CONFLICT (project_id, key) DO UPDATE
           SET fingerprint = excluded.fingerprint, status = excluded.status, response = excluded.response,
               headers = excluded.headers, created_at = now()
         WHERE mine.created_at < now() - make_interval(hours => %s)
        RETURNING project_id, key)
    SELECT project_id, key FROM taken UNION ALL SELECT NULL, set_config('lock_timeout', '0', true)"""
_READ_KEYS: Final = """
    SELECT k.project_id, k.key, k.fingerprint, k.status, k.response, k.headers
      FROM notifications_idempotencykey k JOIN unnest(%s::uuid[], %s::text[]) AS asked (project_id, key) USING (project_id, key)"""


async def claim_keys(connection: Connection, requests: list[Request], judged: list[Judged], keep_hours: int) -> None:
    """Take the idempotency keys of what is about to be accepted; what was answered before is answered so again.

    Raises `InFlight` when another transaction holds one of them.
    """
    first: dict[Name, int] = {}
    for index, request in enumerate(requests):
        if request.idempotency and isinstance(judged[index][0], Answer):
            first.setdefault((request.project_id, request.idempotency.key), index)
    await _retell(connection, requests, judged)
    if not first:
        return
    holders = {name: _held(requests[index], judged[index][0]) for name, index in first.items()}
    taken = await _take_keys(connection, holders, keep_hours)
    told = holders | await _earlier(connection, [name for name in holders if name not in taken])
    for index, request in enumerate(requests):
        if not request.idempotency or not isinstance(judged[index][0], Answer):
            continue
        name = (request.project_id, request.idempotency.key)
        if name not in first or (first[name] == index and name in taken):
            continue
        fingerprint, answer = told[name]
        same = fingerprint == request.idempotency.fingerprint
        judged[index] = (replace(answer, replayed=True) if same else KeyReused()), {}


async def _retell(connection: Connection, requests: list[Request], judged: list[Judged]) -> None:
    """A repeated request gets its first answer even when it would not be accepted any more."""
    refused = {
        index: (request.project_id, request.idempotency.key)
        for index, request in enumerate(requests)
        if request.idempotency and not isinstance(judged[index][0], Answer)
    }
    told = await _earlier(connection, list(refused.values()))
    for index, name in refused.items():
        idempotency = requests[index].idempotency
        if name in told and idempotency and told[name][0] == idempotency.fingerprint:
            judged[index] = replace(told[name][1], replayed=True), {}


def _held(request: Request, outcome: Outcome) -> tuple[str, Answer]:
    assert request.idempotency and isinstance(outcome, Answer)
    return request.idempotency.fingerprint, outcome


async def _take_keys(connection: Connection, holders: dict[Name, tuple[str, Answer]], keep_hours: int) -> set[Name]:
    rows = [
        (
            project_id,
            key,
            fingerprint,
            answer.status,
            answer.body.decode(),
            msgspec.json.encode(answer.headers).decode(),
        )
        for (project_id, key), (fingerprint, answer) in sorted(holders.items(), key=lambda item: item[0])
    ]
    try:
        cursor = await connection.execute(_CLAIM_KEYS, (*map(list, zip(*rows, strict=True)), keep_hours))
    except LockNotAvailable as error:
        raise InFlight("A request with this Idempotency-Key is still being served.") from error
    return {(project, key) for project, key in await cursor.fetchall() if project is not None}


async def _earlier(connection: Connection, names: list[Name]) -> dict[Name, tuple[str, Answer]]:
    """Fingerprints and answers of keys that were taken before this transaction."""
    if not names:
        return {}
    cursor = await connection.execute(_READ_KEYS, ([p for p, _ in names], [k for _, k in names]))
    return {
        (project, key): (fingerprint, Answer(status, response.encode(), headers))
        for project, key, fingerprint, status, response, headers in await cursor.fetchall()
    }

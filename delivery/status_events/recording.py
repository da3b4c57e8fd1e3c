"""Recording status events in the transaction of the change they tell of; by the statement that makes the change, where there is one.

`recording` gives common table expressions to be put behind the one that changes rows. Where no endpoint of the project wants
the event, which is looked up in the same statement, nothing is computed and nothing is written.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

Connection = AsyncConnection[TupleRow]
_encode = msgspec.json.Encoder(enc_hook=str).encode

# A UUIDv7 (RFC 9562): random bits, the first six bytes the milliseconds, the version's two missing bits set.
_NEW_ID: Final = """encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid"""
_WANTS: Final = "e.project_id = f.project_id AND e.state = 'enabled' AND (e.types = '{}' OR f.type = ANY(e.types))"

DELIVERY_COLUMNS: Final = (
    "d.id, d.project_id, d.notification_id, d.recipient_id, d.channel, d.endpoint_id, d.state, d.reason, "
    "d.attempt_count, d.finished_at"
)
"""What a statement that changes `delivery_delivery d` must return for `delivery_facts`."""

NOTIFICATION_COLUMNS: Final = "o.id, o.project_id, o.status, o.reason"
"""What a statement that changes `notifications_notification o` must return for `notification_facts`."""


def delivery_facts(changed: str) -> str:
    """A query over the expression `changed`: an event for each delivery in it that has come to its end."""
    return f"""
        SELECT d.project_id, 'delivery.' || d.state AS type, d.recipient_id,
               jsonb_build_object('delivery_id', d.id, 'notification_id', d.notification_id, 'channel', d.channel,
                                  'endpoint_id', d.endpoint_id, 'state', d.state, 'reason', d.reason,
                                  'attempt_count', d.attempt_count, 'finished_at', d.finished_at) AS data
          FROM {changed} d WHERE d.finished_at IS NOT NULL"""  # noqa: S608 - composed of our own text


def notification_facts(changed: str) -> str:
    """A query over the expression `changed`: an event for each notification in it that is no longer merely accepted."""
    return f"""
        SELECT o.project_id, 'notification.' || o.status AS type, NULL::uuid AS recipient_id,
               jsonb_build_object('notification_id', o.id, 'status', o.status, 'reason', nullif(o.reason, '')) AS data
          FROM {changed} o WHERE o.status <> 'accepted'"""  # noqa: S608 - composed of our own text


def recording(facts: str) -> str:
    """Common table expressions (`told`, `told_of`, `told_to`) that record the events of `facts`.

    `facts` is a query with the columns project_id, type, recipient_id (null where it is about nobody) and data.
    """
    return f"""
    told AS MATERIALIZED (
        SELECT {_NEW_ID} AS id, f.project_id, f.type, f.recipient_id, f.data FROM ({facts}) AS f
         WHERE EXISTS (SELECT FROM delivery_eventendpoint)  -- asked once, not for each row
           AND EXISTS (SELECT FROM delivery_eventendpoint e WHERE {_WANTS})),
    told_of AS (
        INSERT INTO delivery_statusevent (id, project_id, type, recipient_id, data) SELECT * FROM told),
    told_to AS (
        INSERT INTO delivery_statusdispatch (id, event_id, endpoint_id, available_at)
        SELECT {_NEW_ID}, f.id, e.id, now() FROM told f JOIN delivery_eventendpoint e ON {_WANTS})"""  # noqa: S608 - composed of our own text


_GIVEN: Final = """
        SELECT project_id, type, (data ->> 'recipient_id')::uuid AS recipient_id, data - 'recipient_id' AS data
          FROM unnest(%s::uuid[], %s::text[], %s::jsonb[]) AS g (project_id, type, data)"""
_RECORD: Final = f"WITH {recording(_GIVEN)} SELECT count(*) FROM told"  # noqa: S608 - composed of our own text

Event = tuple[UUID, str, Mapping[str, Any]]


async def record(connection: Connection, events: Iterable[Event]) -> None:
    """Record `(project_id, type, data)` in the caller's transaction, where an endpoint of the project wants the type.

    `type` is one of `status_events.types.TYPES`. In `data` the keys `delivery_id`, `notification_id`, `endpoint_id` and
    `recipient_id` are rows' UUIDs; they go out as public ids and as the recipient's own id.
    """
    rows = [(project_id, kind, _encode(data).decode()) for project_id, kind, data in events]
    if rows:
        await connection.execute(_RECORD, [list(column) for column in zip(*rows, strict=True)], prepare=True)

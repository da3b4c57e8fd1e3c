"""Reading recipients for routing: by name, creating bare ones, and page by page from a topic; with their endpoints."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.routing import Address, Target
from notifications import ids
from notifications.preferences.parsing import read_preferences

Connection = AsyncConnection[TupleRow]

# As text: what many want in the same words is understood once.
_FIND: Final = """
    SELECT r.project_id, r.external_id, r.id, r.email, r.timezone, p.settings::text FROM notifications_recipient r
      JOIN unnest(%s::uuid[], %s::text[]) AS asked (project_id, external_id) USING (project_id, external_id)
      LEFT JOIN notifications_recipientpreferences p ON p.recipient_id = r.id"""
_BY_ID: Final = """
    SELECT r.external_id, r.id, r.email, r.timezone, p.settings::text FROM notifications_recipient r
      LEFT JOIN notifications_recipientpreferences p ON p.recipient_id = r.id WHERE r.id = ANY(%s)"""
_CREATE: Final = """
    INSERT INTO notifications_recipient (id, project_id, external_id, data)
    SELECT *, '{}' FROM unnest(%s::uuid[], %s::uuid[], %s::text[])
    ON CONFLICT (project_id, external_id) DO NOTHING"""
_PAGE: Final = """
    SELECT s.recipient_id, r.external_id, r.email, r.timezone, p.settings::text
      FROM notifications_subscription s
      JOIN notifications_recipient r ON r.id = s.recipient_id
      LEFT JOIN notifications_recipientpreferences p ON p.recipient_id = r.id
     WHERE s.topic_id = (SELECT id FROM notifications_topic WHERE project_id = %s AND key = %s) AND s.recipient_id > %s
     ORDER BY s.recipient_id LIMIT %s"""
_ENDPOINTS: Final = """
    SELECT recipient_id, channel, id, url, event_types FROM notifications_endpoint
     WHERE recipient_id = ANY(%s) AND state = 'enabled' ORDER BY id"""
_FIRST: Final = UUID(int=0)

Name = tuple[UUID, str]


async def find_targets(connection: Connection, names: list[Name]) -> dict[Name, Target]:
    """The recipients with these ids of these projects; unknown ones are made, bare."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    found = await _find(connection, wanted)
    missing = [name for name in wanted if name not in found]
    if missing:
        columns = ([ids.new_uuid() for _ in missing], [p for p, _ in missing], [n for _, n in missing])
        await connection.execute(_CREATE, columns, prepare=True)
        found |= await _find(connection, missing)
    endpoints = await _endpoints(connection, [known.recipient_id for known in found.values()])
    return {name: _target(known, name[1], endpoints) for name, known in found.items()}


async def targets_of(connection: Connection, recipient_ids: list[UUID]) -> dict[UUID, Target]:
    """These recipients by their rows; who was erased is missing."""
    cursor = await connection.execute(_BY_ID, (recipient_ids,), prepare=True)
    rows = await cursor.fetchall()
    endpoints = await _endpoints(connection, [row[1] for row in rows])
    return {row[1]: _target(_Known(*row[1:]), row[0], endpoints) for row in rows}


async def page_of_topic(
    connection: Connection, project_id: UUID, key: str, after: UUID | None, *, limit: int
) -> list[Target]:
    """The next members of a topic in order of their row ids."""
    cursor = await connection.execute(_PAGE, (project_id, key, after or _FIRST, limit), prepare=True)
    rows = await cursor.fetchall()
    endpoints = await _endpoints(connection, [row[0] for row in rows])
    return [_target(_Known(row[0], *row[2:]), row[1], endpoints) for row in rows]


class _Known(NamedTuple):
    recipient_id: UUID
    email: str | None
    timezone: str | None
    settings: str | None


def _target(known: _Known, external_id: str, endpoints: Mapping[UUID, Mapping[str, tuple[Address, ...]]]) -> Target:
    return Target(
        known.recipient_id,
        external_id,
        known.email,
        endpoints.get(known.recipient_id, {}),
        preferences=read_preferences(known.settings),
        timezone=known.timezone,
    )


async def _find(connection: Connection, names: list[Name]) -> dict[Name, _Known]:
    cursor = await connection.execute(_FIND, ([p for p, _ in names], [n for _, n in names]), prepare=True)
    return {(row[0], row[1]): _Known(*row[2:]) for row in await cursor.fetchall()}


async def _endpoints(connection: Connection, recipients: list[UUID]) -> dict[UUID, dict[str, tuple[Address, ...]]]:
    found: dict[UUID, dict[str, tuple[Address, ...]]] = defaultdict(dict)
    if recipients:
        cursor = await connection.execute(_ENDPOINTS, (recipients,), prepare=True)
        for recipient_id, channel, endpoint_id, url, event_types in await cursor.fetchall():
            own = found[recipient_id]
            own[channel] = (*own.get(channel, ()), Address(endpoint_id, url, event_types))
    return found

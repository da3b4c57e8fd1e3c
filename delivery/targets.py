"""Reading recipients for routing: by name, creating bare ones, and page by page from a topic; with their endpoints."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, TypeVar
from uuid import UUID

from msgspec.structs import replace
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.routing import WITHOUT_ENDPOINTS, Address, Target
from notifications import ids
from notifications.preferences.parsing import read_preferences

Connection = AsyncConnection[TupleRow]

# As text: what many want in the same words is understood once.
_KNOWN: Final = "r.id, r.external_id, r.email, r.timezone, r.name, r.phone, r.locale, r.data::text, p.settings::text"
_FIND: Final = f"""
    SELECT r.project_id, {_KNOWN} FROM notifications_recipient r
      JOIN unnest(%s::uuid[], %s::text[]) AS asked (project_id, external_id) USING (project_id, external_id)
      LEFT JOIN notifications_recipientpreferences p ON p.recipient_id = r.id"""  # noqa: S608 - composed of our own text
_BY_ID: Final = f"""
    SELECT {_KNOWN} FROM notifications_recipient r
      LEFT JOIN notifications_recipientpreferences p ON p.recipient_id = r.id WHERE r.id = ANY(%s)"""  # noqa: S608 - the same
_CREATE: Final = """
    INSERT INTO notifications_recipient (id, project_id, external_id, data)
    SELECT *, '{}' FROM unnest(%s::uuid[], %s::uuid[], %s::text[])
    ON CONFLICT (project_id, external_id) DO NOTHING"""
_PAGE: Final = f"""
    SELECT {_KNOWN}
      FROM notifications_subscription s
      JOIN notifications_recipient r ON r.id = s.recipient_id
      LEFT JOIN notifications_recipientpreferences p ON p.recipient_id = r.id
     WHERE s.topic_id = (SELECT id FROM notifications_topic WHERE project_id = %s AND key = %s) AND s.recipient_id > %s
     ORDER BY s.recipient_id LIMIT %s"""  # noqa: S608 - the same
_ENDPOINTS: Final = """
    SELECT recipient_id, channel, id, url, event_types FROM notifications_endpoint
     WHERE recipient_id = ANY(%s) AND state = 'enabled' ORDER BY id"""
_FIRST: Final = UUID(int=0)

Name = tuple[UUID, str]
_Key = TypeVar("_Key")


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
    return await _with_endpoints(connection, found)


async def targets_of(connection: Connection, recipient_ids: list[UUID]) -> dict[UUID, Target]:
    """These recipients by their rows; who was erased is missing."""
    cursor = await connection.execute(_BY_ID, (recipient_ids,), prepare=True)
    return await _with_endpoints(connection, {row[0]: _target(row) for row in await cursor.fetchall()})


async def page_of_topic(
    connection: Connection, project_id: UUID, key: str, after: UUID | None, *, limit: int, channels: Iterable[str]
) -> list[Target]:
    """The next members of a topic in order of their row ids, with what these channels need."""
    cursor = await connection.execute(_PAGE, (project_id, key, after or _FIRST, limit), prepare=True)
    page = {row[0]: _target(row) for row in await cursor.fetchall()}
    if not WITHOUT_ENDPOINTS.issuperset(channels):
        page = await _with_endpoints(connection, page)
    return list(page.values())


def _target(known: tuple[Any, ...]) -> Target:
    """From the columns `_KNOWN`."""
    recipient_id, external_id, email, timezone, name, phone, locale, data, settings = known
    return Target(
        recipient_id,
        external_id,
        email,
        preferences=read_preferences(settings),
        timezone=timezone,
        name=name,
        phone=phone,
        locale=locale,
        data=data,
    )


async def _find(connection: Connection, names: list[Name]) -> dict[Name, Target]:
    cursor = await connection.execute(_FIND, ([p for p, _ in names], [n for _, n in names]), prepare=True)
    return {(row[0], row[2]): _target(row[1:]) for row in await cursor.fetchall()}


async def _with_endpoints(connection: Connection, targets: dict[_Key, Target]) -> dict[_Key, Target]:
    """The same, each with its enabled endpoints."""
    endpoints = await _endpoints(connection, [target.recipient_id for target in targets.values()])
    if not endpoints:
        return targets
    return {
        key: replace(target, endpoints=endpoints[target.recipient_id]) if target.recipient_id in endpoints else target
        for key, target in targets.items()
    }


async def _endpoints(connection: Connection, recipients: list[UUID]) -> dict[UUID, dict[str, tuple[Address, ...]]]:
    found: dict[UUID, dict[str, tuple[Address, ...]]] = defaultdict(dict)
    if recipients:
        cursor = await connection.execute(_ENDPOINTS, (recipients,), prepare=True)
        for recipient_id, channel, endpoint_id, url, event_types in await cursor.fetchall():
            own = found[recipient_id]
            own[channel] = (*own.get(channel, ()), Address(endpoint_id, url, event_types))
    return found

"""A project that listens: its event endpoints, and what was recorded for them."""

from typing import Any
from uuid import UUID

from notifications import ids
from notifications.sealing import seal
from tests.delivery.world import SECRET, Row, World


async def listen(
    world: World, url: str = "https://example.com/", *, key: str = "k", types: tuple[str, ...] = ()
) -> UUID:
    """An enabled event endpoint of the world's project that signs with SECRET."""
    endpoint_id = ids.new_uuid()
    await world.connection.execute(
        "INSERT INTO delivery_eventendpoint (id, project_id, key, url, sealed_secret, types, description, state,"
        " disabled_reason) VALUES (%s, %s, %s, %s, %s, %s, '', 'enabled', '')",
        (endpoint_id, world.project_id, key, url, seal(SECRET), list(types)),
    )
    return endpoint_id


async def recorded(world: World) -> list[Row]:
    """Every event, oldest first."""
    return await world.rows("SELECT * FROM delivery_statusevent ORDER BY created_at, id")


async def types_recorded(world: World) -> list[str]:
    return sorted(row["type"] for row in await recorded(world))


async def dispatches(world: World, endpoint_id: UUID | None = None) -> list[Row]:
    """How the telling goes, of one endpoint or all."""
    return await world.rows(
        "SELECT d.*, v.type FROM delivery_statusdispatch d JOIN delivery_statusevent v ON v.id = d.event_id"
        " WHERE %s::uuid IS NULL OR endpoint_id = %s ORDER BY d.event_id",
        endpoint_id,
        endpoint_id,
    )


def facts(row: Row) -> dict[str, Any]:
    """An event's data without what differs from run to run."""
    return {name: value for name, value in row["data"].items() if name not in ("finished_at",)}

"""Many deliveries that are copied in are the same rows as few that are inserted."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from delivery.conf import DeliveryConf
from delivery.inserting import IN_DIGEST, insert_deliveries
from delivery.planning import Asked, Planned
from delivery.route import route
from delivery.routing import Target, Way
from notifications import ids
from tests.delivery.world import World, unheard

NOW: Final = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=8)
ENDPOINT: Final = UUID(int=7)
WAYS: Final = [
    Way("in_app"),
    Way("email", address="a@example.com", level="category"),
    Way("email", address="a@example.com", level="critical", overruled='work"flow'),
    Way("webhook", endpoint_id=ENDPOINT, address="https://a.example"),
    Way("email", reason="quiet_hours", not_before=LATER),
    Way("in_app", reason=IN_DIGEST),
    Way("email", reason="suppressed_bounce"),
    Way("webhook", reason="no_endpoint"),
]
COLUMNS: Final = (
    "channel, endpoint_id, state, reason, critical, step, digest_id, decision, available_at IS NULL, expires_at,"
    " finished_at IS NULL, attempt_count, claims, lease_token, CASE WHEN state = 'scheduled' THEN available_at END"
)


def planned(world: World, notification_id: UUID, way: Way, count: int, **more: Any) -> list[Planned]:
    """That way for so many people."""
    asked = {
        "project_id": world.project_id,
        "notification_id": notification_id,
        "channels": [way.channel],
        "category": None,
        "critical": False,
        "expires_at": None,
        "workflow": None,
    }
    return [(Asked(**(asked | more), target=Target(ids.new_uuid(), "p", None)), way) for _ in range(count)]


async def insert(world: World, rows: Sequence[Planned]) -> set[str]:
    async with world.connection.transaction():
        return await insert_deliveries(world.connection, rows, NOW)


async def kinds(world: World, notification_id: UUID) -> set[tuple[Any, ...]]:
    found = await world.rows(
        f"SELECT {COLUMNS} FROM delivery_delivery WHERE notification_id = %s",
        notification_id,
    )
    return {tuple(map(repr, row.values())) for row in found}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.channel}-{way.reason or way.level}")
@pytest.mark.parametrize(
    "more", [{}, {"critical": True, "expires_at": LATER, "step": "größe#2", "digest_id": UUID(int=5)}], ids=["", "all"]
)
async def test_copied_and_inserted_rows_look_the_same(world: World, way: Way, more: dict[str, Any]) -> None:
    few, many = ids.new_uuid(), ids.new_uuid()
    channels = await insert(world, planned(world, few, way, 3, **more))
    assert await insert(world, planned(world, many, way, 600, **more)) == channels
    assert channels == (set() if way.reason else {way.channel})
    assert len(await kinds(world, few)) == 1
    assert await kinds(world, many) == await kinds(world, few)
    assert len(await world.deliveries(many)) == 600


async def test_what_is_there_already_stays_and_the_rest_is_written(world: World) -> None:
    notification = ids.new_uuid()
    rows = planned(world, notification, Way("in_app"), 100)
    await insert(world, rows[:10])
    before = await world.deliveries(notification)
    await insert(world, rows)
    after = await world.deliveries(notification)
    assert [row for row in after if row in before] == before
    assert {row["recipient_id"] for row in after} == {asked.target.recipient_id for asked, _ in rows}
    assert len(after) == 100


async def test_whoever_is_reached_by_two_topics_gets_one(world: World) -> None:
    people = await world.add_recipients(*(f"u{n}" for n in range(150)))
    await world.add_topic("left", people[:100])
    await world.add_topic("right", people[50:])
    notification = await world.accept([{"topic": "left"}, {"topic": "right"}, "u3"], ["in_app"])
    while await route(world.connection, DeliveryConf(), unheard):
        pass
    assert sorted(row["recipient"] for row in await world.deliveries(notification)) == sorted(
        f"u{n}" for n in range(150)
    )

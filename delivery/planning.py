"""From what is asked for to deliveries: the ways to each recipient, as preferences, quiet hours and caps leave them open.

Whoever asks, routing for a plain notification or a walk for a workflow's step, is served by the same few statements per batch.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.frequency import Candidate, any_caps, keep_caps
from delivery.routing import Target, Way, plan_ways
from delivery.rules import Rules
from notifications.event_types import event_type_of
from notifications.preferences.deciding import DEFAULT
from notifications.preferences.shapes import Policy
from notifications.texts import format_time

Connection = AsyncConnection[TupleRow]
_encode = msgspec.json.Encoder().encode


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient who is to hear of one notification on these channels; `step` and `digest_id` where a workflow says so."""

    project_id: UUID
    notification_id: UUID
    target: Target
    channels: Sequence[str]
    category: str | None
    critical: bool
    expires_at: datetime | None
    workflow: str | None
    policy: Policy | None = None
    step: str | None = None
    digest_id: UUID | None = None


Planned = tuple[Asked, Way]


async def plan(connection: Connection, asked: Sequence[Asked], rules: Mapping[UUID, Rules]) -> list[Planned]:
    """Every delivery that is meant, in order. Takes the places of what is capped, in the caller's transaction."""
    planned = [(each, way) for each in asked for way in ways_of(each, rules[each.project_id])]
    if not planned or not any_caps(rules):
        return planned
    candidates = [
        Candidate(
            each.project_id,
            each.target,
            way,
            each.category,
            each.critical,
            each.policy,
            notification_id=each.notification_id,
            step=each.step,
        )
        for each, way in planned
    ]
    ways = await keep_caps(connection, candidates, rules)
    return [(each, way) for (each, _), way in zip(planned, ways, strict=True)]


def ways_of(asked: Asked, rules: Rules) -> list[Way]:
    """The ways before any cap."""
    return plan_ways(
        asked.channels,
        asked.target,
        category=asked.category,
        critical=asked.critical,
        event_type=event_type_of(asked.workflow),
        workflow=asked.workflow,
        rules=rules,
        policy=asked.policy,
    )


def decision_of(way: Way) -> str | None:
    """Whose preference decided and until when it has to wait for what, where anybody or anything did: the JSON that is kept of it."""
    said: dict[str, str] = {}
    if way.level != DEFAULT:
        said["level"] = way.level
        if way.overruled:
            said["overruled"] = way.overruled
    if way.reason and way.not_before is not None:
        said |= {"waits_for": way.reason, "until": format_time(way.not_before)}
    return _encode(said).decode() if said else None

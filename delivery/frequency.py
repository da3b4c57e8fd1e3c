"""A project's frequency caps: what is over one waits until the recipient has room for it, also with regard to quiet hours."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.routing import Target, Way, quiet_of
from delivery.rules import Rules
from notifications.preferences.shapes import Policy
from schedules.slots import Group, Want, take_joint_slots

CAPPED: Final = "capped"
_THERE: Final = """
    SELECT notification_id, recipient_id, channel, endpoint_id, step FROM delivery_delivery
      JOIN unnest(%s::uuid[], %s::uuid[]) AS asked (notification_id, recipient_id) USING (notification_id, recipient_id)"""
_Name = tuple[UUID | None, UUID, str, UUID | None, str | None]


class Candidate(msgspec.Struct, frozen=True):
    """A planned way with what its caps go by."""

    project_id: UUID
    target: Target
    way: Way
    category: str | None = None
    critical: bool = False
    policy: Policy | None = None
    notification_id: UUID | None = None
    """None: it is only looked ahead."""
    step: str | None = None


def any_caps(rules: Mapping[UUID, Rules]) -> bool:
    """Whether anything has to be kept at all."""
    return any(known.caps for known in rules.values())


async def keep_caps(
    connection: "AsyncConnection[TupleRow]", candidates: Sequence[Candidate], rules: Mapping[UUID, Rules]
) -> list[Way]:
    """The ways in their order, each that is over a cap with the time at which it may go. Takes the places, in the caller's
    transaction; three statements, however many there are. Whoever is reached already, by another entry, needs no second place."""
    groups = [group_of(candidate, rules[candidate.project_id]) for candidate in candidates]
    there = await _there_already(connection, [c for c, group in zip(candidates, groups, strict=True) if group])
    groups = [None if _name(c) in there else group for c, group in zip(candidates, groups, strict=True)]
    times = iter(await take_joint_slots(connection, [group for group in groups if group is not None]))
    return [
        candidate.way if group is None else as_of(candidate.way, next(times), rules[candidate.project_id])
        for candidate, group in zip(candidates, groups, strict=True)
    ]


async def _there_already(connection: "AsyncConnection[TupleRow]", candidates: Sequence[Candidate]) -> set[_Name]:
    if not candidates:
        return set()
    asked = {(c.notification_id, c.target.recipient_id) for c in candidates}
    cursor = await connection.execute(_THERE, [list(column) for column in zip(*asked, strict=True)], prepare=True)
    return set(await cursor.fetchall())


def _name(candidate: Candidate) -> _Name:
    way = candidate.way
    return candidate.notification_id, candidate.target.recipient_id, way.channel, way.endpoint_id, candidate.step


def group_of(candidate: Candidate, rules: Rules) -> Group | None:
    """The places that one way needs; None where no cap holds for it, it is critical or does not go at all."""
    way, target = candidate.way, candidate.target
    if candidate.critical or (way.reason and way.not_before is None):
        return None
    wants = tuple(
        Want(cap.key, candidate.project_id, target.recipient_id, cap.limit, cap.window_seconds)
        for cap in rules.caps.holding(way.channel, candidate.category)
    )
    if not wants:
        return None
    quiet = quiet_of(way.channel, target, rules, policy=candidate.policy)
    return Group(wants, quiet.admit) if quiet else Group(wants)


def as_of(way: Way, moment: datetime, rules: Rules) -> Way:
    """The way as its places let it go."""
    if moment <= (way.not_before or rules.now):
        return way
    return replace(way, reason=CAPPED, not_before=moment)

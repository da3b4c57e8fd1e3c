"""What a project decides for all of its recipients, at the moment of routing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from notifications.preferences.caps import NONE, Caps, read_caps
from notifications.preferences.parsing import read_preferences
from notifications.preferences.shapes import EMPTY, Preferences

_READ: Final = """
    SELECT asked.id, now(), s.preferences::text, s.caps::text, coalesce(s.timezone, 'UTC')
      FROM unnest(%s::uuid[]) AS asked (id) LEFT JOIN notifications_projectsettings s ON s.project_id = asked.id"""


@dataclass(frozen=True, slots=True)
class Rules:
    """`now` is the database's; `timezone` is for recipients who have none."""

    now: datetime
    defaults: Preferences = EMPTY
    caps: Caps = NONE
    timezone: str = "UTC"


NO_RULES: Final = Rules(datetime(1970, 1, 1, tzinfo=UTC))
"""For whoever plans without a project; nobody's hours are quiet by them."""


async def read_rules(connection: "AsyncConnection[TupleRow]", projects: Iterable[UUID]) -> dict[UUID, Rules]:
    """The rules of these projects. One query, however many there are."""
    cursor = await connection.execute(_READ, (sorted(set(projects)),), prepare=True)
    return {
        row[0]: Rules(row[1], read_preferences(row[2]), read_caps(row[3]), row[4]) for row in await cursor.fetchall()
    }

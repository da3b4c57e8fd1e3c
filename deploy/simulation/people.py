"""The recipients of a simulation as a story needs them: their clocks and their quiet hours."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from deploy.simulation.story import Span
from notifications.intake.writer import Connection
from notifications.preferences.parsing import read_preferences
from notifications.preferences.shapes import Weekly
from schedules.quiet_hours import quiet_until

_PEOPLE: Final = """
    SELECT r.external_id, coalesce(r.timezone, s.timezone, 'UTC'), p.settings::text, s.preferences::text
      FROM notifications_recipient r
      LEFT JOIN notifications_recipientpreferences p ON p.recipient_id = r.id
      LEFT JOIN notifications_projectsettings s ON s.project_id = r.project_id
     WHERE r.project_id = %s ORDER BY r.id"""
_STEP: Final = timedelta(minutes=5)
_LONGEST: Final = timedelta(days=62)
"""Beyond this nobody could see quiet hours in a picture."""


@dataclass(frozen=True, slots=True)
class Person:
    """One recipient."""

    timezone: str
    quiet: tuple[Span, ...]


async def read_people(connection: Connection, project_id: UUID, start: datetime, until: datetime) -> dict[str, Person]:
    """Everybody whom the project knows by now, in the order in which they came."""
    people = {}
    for name, timezone, own, defaults in await (await connection.execute(_PEOPLE, (project_id,))).fetchall():
        hours = read_preferences(own).quiet_hours or read_preferences(defaults).quiet_hours
        spans = () if hours is None else quiet_spans(hours.weekly, timezone, start, until)
        people[name] = Person(timezone, spans)
    return people


def quiet_spans(weekly: Weekly, timezone: str, start: datetime, until: datetime) -> tuple[Span, ...]:
    """The quiet times within a simulation; they begin to five minutes."""
    if until - start > _LONGEST or not any(weekly):
        return ()
    spans: list[Span] = []
    moment = start
    while moment < until:
        end = quiet_until(weekly, timezone=timezone, at=moment)
        if end is None:
            moment += _STEP
        else:
            spans.append((moment, min(end, until)))
            moment = end
    return tuple(spans)

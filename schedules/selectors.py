"""Reads of schedules."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, F, Func, JSONField, QuerySet, Value

from notifications.errors import NotFound
from schedules.models import Schedule, ScheduleRun

_NAMED: Final = "$ ? (@.actor == $id || exists(@.recipients[*] ? (@ == $id || @.id == $id)))"


def schedules_of(project_id: UUID) -> QuerySet[Schedule]:
    """All schedules of a project."""
    return Schedule.objects.filter(project_id=project_id)


def schedules_naming(*, project_id: UUID, external_id: str) -> QuerySet[Schedule]:
    """Those that would tell this person something, by id or in line, or tell others that the person did it."""
    names_them: Any = Func(
        F("notification"),
        Func(Value(_NAMED), template="(%(expressions)s)::jsonpath"),
        Value({"id": external_id}, JSONField()),
        function="jsonb_path_exists",
        output_field=BooleanField(),
    )
    return schedules_of(project_id).filter(names_them)


def get_schedule(*, project_id: UUID, key: str) -> Schedule:
    """One schedule. Raises `NotFound`."""
    schedule = schedules_of(project_id).filter(key=key).first()
    if schedule is None:
        raise NotFound
    return schedule


def upcoming(schedule: Schedule, *, limit: int) -> list[datetime]:
    """The next times, as far as nobody pauses or changes it."""
    return list(islice(_from_next(schedule), limit))


def _from_next(schedule: Schedule) -> Iterator[datetime]:
    if schedule.next_at is not None:
        yield schedule.next_at
        yield from schedule.timing.times(anchor=schedule.anchor, after=schedule.next_at)


def runs_of(schedule: Schedule, *, limit: int) -> list[ScheduleRun]:
    """What became of its last times, the latest first."""
    return list(schedule.runs.order_by("-occurrence")[:limit])

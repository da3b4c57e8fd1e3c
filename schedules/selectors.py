"""Reads of schedules."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db.models import QuerySet

from notifications.errors import NotFound
from schedules.models import Schedule, ScheduleRun


def schedules_of(project_id: UUID) -> QuerySet[Schedule]:
    """All schedules of a project."""
    return Schedule.objects.filter(project_id=project_id)


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

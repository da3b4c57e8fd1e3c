"""Schedules are made, changed, paused, run and removed; each keeps Beat's entry in step in the same transaction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from notifications.clock import utc_now
from notifications.errors import Conflict, Fault, Invalid, NotFound
from schedules.beat import keep_in_step, remove_entry
from schedules.models import Schedule, ScheduleRun
from schedules.timing import Timing

KEEP_RUNS: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a caller says of a schedule."""

    timing: Timing
    paused: bool
    catch_up: str
    notification: Mapping[str, Any]


@transaction.atomic
def put_schedule(*, project_id: UUID, key: str, plan: Plan) -> tuple[Schedule, bool]:
    """The schedule as planned, and whether it is new. Raises `Invalid` where it would never come.

    One that says of its times what it said before keeps what it counts from and what is due.
    """
    schedule = _locked(project_id, key)
    if schedule is not None:
        return _change(schedule, plan), False
    schedule = Schedule(project_id=project_id, key=key, timezone="")
    return _change(schedule, plan), True


@transaction.atomic
def change_schedule(*, project_id: UUID, key: str, plan: Plan) -> Schedule:
    """The schedule, which must exist, as planned. Raises `Invalid` or `NotFound`."""
    schedule = _locked(project_id, key)
    if schedule is None:
        raise NotFound
    return _change(schedule, plan)


@transaction.atomic
def pause_schedule(*, schedule_id: UUID) -> None:
    """Nothing comes until it is resumed; what was due and not made yet is dropped. Raises `NotFound`."""
    _pause(schedule_id, paused=True)


@transaction.atomic
def resume_schedule(*, schedule_id: UUID) -> None:
    """It goes on with its next time; those of the pause are not made up for. Raises `NotFound`, and `Conflict` when it is for nobody."""
    _pause(schedule_id, paused=False)


@transaction.atomic
def run_now(*, project_id: UUID, key: str) -> Schedule:
    """Ask for one run besides the rule's own, within seconds, be it paused or over. Raises `NotFound`.

    Asked again before it was made, it is still one run.
    """
    schedule = _locked(project_id, key)
    if schedule is None:
        raise NotFound
    if schedule.asked_at is None:
        schedule.asked_at = Now()
        schedule.save(update_fields=["asked_at"])
        schedule.refresh_from_db()
    return schedule


@transaction.atomic
def delete_schedule(*, project_id: UUID, key: str) -> None:
    """Remove it and what is told of its runs; notifications that it made stay. Raises `NotFound`."""
    schedule = _locked(project_id, key)
    if schedule is None:
        raise NotFound
    remove_entry(schedule)
    schedule.delete()


def forget_old_runs() -> int:
    """Delete what became of times long past; how many."""
    return ScheduleRun.objects.filter(created_at__lt=Now() - KEEP_RUNS).delete()[0]


def _locked(project_id: UUID, key: str) -> Schedule | None:
    return Schedule.objects.select_for_update().filter(project_id=project_id, key=key).first()


def _change(schedule: Schedule, plan: Plan) -> Schedule:
    now = utc_now()
    if schedule.timing != plan.timing:
        for name, value in asdict(plan.timing).items():
            setattr(schedule, name, value)
        schedule.anchor = plan.timing.anchor(now)
        schedule.next_at = plan.timing.next_time(anchor=schedule.anchor, after=now)
        if schedule.next_at is None:
            raise Invalid([_never(plan.timing, now)])
        schedule.paused = False
    set_paused(schedule, plan.paused, now)
    schedule.pause_reason = ""
    schedule.catch_up = plan.catch_up
    schedule.notification = dict(plan.notification)
    save(schedule)
    return schedule


def _pause(schedule_id: UUID, *, paused: bool) -> None:
    schedule = Schedule.objects.select_for_update().filter(id=schedule_id).first()
    if schedule is None:
        raise NotFound
    if not paused and not schedule.notification["recipients"]:
        raise Conflict("Its recipients were erased; give its notification others first.")
    set_paused(schedule, paused, utc_now())
    save(schedule)


def set_paused(schedule: Schedule, paused: bool, now: datetime) -> None:
    """Paused it has no next time; resumed it goes on with the next from `now`. Not saved yet."""
    if paused == schedule.paused:
        return
    schedule.paused = paused
    schedule.pause_reason = ""
    schedule.next_at = None if paused else schedule.timing.next_time(anchor=schedule.anchor, after=now)


def save(schedule: Schedule) -> None:
    """Keep what was changed, and Beat's entry in step with it; in the caller's transaction."""
    schedule.updated_at = Now()
    schedule.save()
    schedule.refresh_from_db()
    keep_in_step(schedule)


def _never(timing: Timing, now: datetime) -> Fault:
    if timing.at is not None:
        return Fault("/at", "Must be in the future.")
    if timing.end is not None and timing.end <= now:
        return Fault("/end", "Must be in the future.")
    return Fault("", "This rule never comes within its start and end.")

"""Each schedule's entry in Celery Beat's tables, kept in step with it: Beat rings when it is due, and the admin shows that.

Beat only rings; whether something is due, and that it is made once, is decided by the schedule's own row. So an entry may ring
more often than the schedule fires: what Beat's crontab cannot say (RRULE, `L`, `1#2`, a day of the month or of the
week) rings every day at the rule's times of day. Without Beat the workers find what is due by themselves, seconds later.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from notifications.recurrence_rules import parse_rrule
from schedules.models import Schedule
from schedules.periodic import FIRE_TASK, entry_name
from schedules.rrules import times_of_day
from schedules.timing import parse_duration

_EXPIRES_SECONDS: Final = 60
_KINDS: Final = {"crontab": CrontabSchedule, "interval": IntervalSchedule, "clocked": ClockedSchedule}
_PERIODS: Final = (
    (86_400, IntervalSchedule.DAYS),
    (3_600, IntervalSchedule.HOURS),
    (60, IntervalSchedule.MINUTES),
    (1, IntervalSchedule.SECONDS),
)
_EVERY_DAY: Final = {"day_of_month": "*", "month_of_year": "*", "day_of_week": "*"}
_SOME_TIME: Final = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall time


def keep_in_step(schedule: Schedule) -> None:
    """Make or change the entry, in the caller's transaction; Beat hears of it within seconds."""
    name = entry_name(schedule.key, schedule.id)
    task = PeriodicTask.objects.filter(name=name).first() or PeriodicTask(name=name)
    kind, values = _ringing(schedule)
    held = {field: row for field in _KINDS if (row := getattr(task, field)) is not None}
    row = held.pop(kind, None)
    if row is None or _is_shared(row, task):
        row = _KINDS[kind]()
    for column, value in values.items():
        setattr(row, column, value)
    row.save()
    for field in _KINDS:
        setattr(task, field, row if field == kind else None)
    task.task = FIRE_TASK
    task.description = f"Rings when the schedule {schedule.key} is due. Pause and change it there, not here."
    task.enabled = schedule.next_at is not None
    task.one_off = kind == "clocked"
    task.start_time = schedule.next_at if kind == "interval" else None
    task.last_run_at, task.total_run_count = None, 0
    task.expires, task.expire_seconds = None, _EXPIRES_SECONDS
    task.save()
    for unused in held.values():
        if not _is_shared(unused, task):
            unused.delete()


def remove_entry(schedule: Schedule) -> None:
    """Nobody rings for it any more."""
    for task in PeriodicTask.objects.filter(name=entry_name(schedule.key, schedule.id)):
        _remove(task)


def remove_orphans() -> int:
    """Remove entries whose schedule went with its project; how many."""
    tasks = {task.name: task for task in PeriodicTask.objects.filter(name__startswith="schedule: ")}
    kept = {entry_name(key, schedule_id) for key, schedule_id in Schedule.objects.values_list("key", "id")}
    orphans = [task for name, task in tasks.items() if name not in kept]
    for task in orphans:
        _remove(task)
    return len(orphans)


def _remove(task: PeriodicTask) -> None:
    held = [row for field in _KINDS if (row := getattr(task, field)) is not None]
    task.delete()
    for row in held:
        if not _is_shared(row, task):
            row.delete()


def _is_shared(row: Any, task: PeriodicTask) -> bool:
    """Beat itself takes any row that says what its own entries need."""
    return bool(row.periodictask_set.exclude(id=task.id).exists())


def _ringing(schedule: Schedule) -> tuple[str, dict[str, Any]]:
    """Which of Beat's tables says best when to ring, and the row's values."""
    timing = schedule.timing
    if timing.at is not None:
        return "clocked", {"clocked_time": timing.at}
    if timing.every is not None:
        return "interval", _interval(int(parse_duration(timing.every).total_seconds()))
    if timing.cron is not None:
        fields = _crontab_fields(timing.cron)
    else:
        assert timing.rrule is not None
        hours, minutes = times_of_day(
            parse_rrule(timing.rrule), anchor=schedule.anchor.astimezone(ZoneInfo(timing.timezone))
        )
        fields = {"minute": _list(minutes), "hour": _list(hours), **_EVERY_DAY}
    return "crontab", {**fields, "timezone": timing.timezone}


def _interval(seconds: int) -> dict[str, Any]:
    size, period = next((size, period) for size, period in _PERIODS if seconds % size == 0)
    return {"every": seconds // size, "period": period}


def _crontab_fields(expression: str) -> dict[str, str]:
    cron = CronSim(expression, _SOME_TIME)
    times = {
        "minute": _list(cron.minutes, 60),
        "hour": _list(cron.hours, 24),
        "month_of_year": _list(cron.months, 12),
    }
    weekdays = {day % 7 if isinstance(day, int) else None for day in cron.weekdays}
    # Where both name days crontab(5) means either and Celery means both.
    if None in weekdays or min(cron.days) < 1 or not cron.day_and:
        return {**_EVERY_DAY, **times}
    return {**times, "day_of_month": _list(cron.days, 31), "day_of_week": _list(weekdays, 7)}


def _list(values: Iterable[Any], all_of_them: int = 0) -> str:
    numbers = sorted(set(values))
    return "*" if len(numbers) == all_of_them else ",".join(map(str, numbers))

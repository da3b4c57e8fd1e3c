"""Celery Beat's schedules in the admin's look. They only ring the bell: no business time depends on them."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django_celery_beat import admin as beat
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from deploy.admin import display
from deploy.admin.base import ModelAdmin

# The package registers pages of its own look on import; ours replace them.
for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]  # no stubs
    """The registered tasks, in the admin's look."""


class PeriodicTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]  # no stubs
    """Beat's form with the admin's widgets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]  # no stubs
    """What Beat does and when."""

    form = PeriodicTaskForm
    list_display = ("name", "task", "scheduler", "enabled", "last_run", "total_run_count")
    list_filter = ("enabled", "one_off")
    date_hierarchy = None

    @admin.display(description="Last run", ordering="last_run_at")
    def last_run(self, task: Any) -> SafeString | str:
        return display.time(task.last_run_at) if task.last_run_at else "never"


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):
    """Every so often."""


@admin.register(CrontabSchedule)
class CrontabAdmin(beat.CrontabScheduleAdmin, ModelAdmin):  # type: ignore[misc]  # no stubs
    """By the calendar."""

    inlines = ()


@admin.register(ClockedSchedule)
class ClockedAdmin(beat.ClockedScheduleAdmin, ModelAdmin):  # type: ignore[misc]  # no stubs
    """Once, at a time."""

    inlines = ()


@admin.register(SolarSchedule)
class SolarAdmin(ModelAdmin):
    """By the sun."""

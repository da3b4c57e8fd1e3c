"""Schedules: when they come next, what became of their last times, and buttons to pause, resume and run them.

They are made and changed over the API, which checks the notification as it will be checked when it is made.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from deploy.admin import display
from deploy.admin.base import ReadOnlyAdmin, back_to, button, log_operated
from deploy.admin.filters import CreatedFilter
from deploy.admin.step_cards import lasting
from notifications.bell import bell
from schedules import selectors, services
from schedules.models import Schedule, ScheduleRun
from schedules.periodic import FIRE_TASK

_SHOWN: Final = 10
_TONES: Final = {"active": "success", "paused": "warning", "over": ""}
_OUTCOME_TONES: Final = {"fired": "success", "missed": "warning", "refused": "danger"}


def state_of(schedule: Schedule) -> str:
    """In one word."""
    if schedule.paused:
        return "paused"
    return "over" if schedule.next_at is None else "active"


def rule_text(schedule: Schedule) -> str:
    """The rule as one reads it."""
    if schedule.at is not None:
        return "once"
    if schedule.every is not None:
        return f"every {_span_text(schedule.every)}"
    return f"{schedule.cron or schedule.rrule} ({schedule.timezone})"


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Submissions by the clock."""

    list_display = ("state_badge", "key", "rule", "next", "upcoming", "project")
    list_display_links = ("key",)
    list_filter = ("paused", ("project", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("project",)
    search_fields = ("key__icontains",)
    search_help_text = "A part of the key"
    actions = ("pause", "resume", "run")
    actions_detail = ("pause_this", "resume_this", "run_this")
    change_form_outer_after_template = "admin/schedule_times.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state_badge", "rule"),
                    ("next_exact", "catch_up"),
                    ("start_exact", "end_exact"),
                    ("project", "key"),
                    "notification_json",
                )
            },
        ),
    )

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only the buttons that change something."""
        paused = Schedule.objects.filter(pk=object_id).values_list("paused", flat=True).first()
        useless = "schedules_schedule_pause_this" if paused else "schedules_schedule_resume_this"
        return [each for each in super().get_actions_detail(request, object_id) if each.action_name != useless]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        schedule = context.get("original")
        if schedule is not None:
            zone = ZoneInfo(schedule.timezone)
            times = selectors.upcoming(schedule, limit=_SHOWN)
            context["upcoming"] = [(time, wall_text(time, zone)) for time in times]
            context["timezone"] = schedule.timezone
            context["runs"] = [
                (
                    run,
                    outcome_badge(run),
                    display.notification_link(run.notification_id) if run.notification_id else "–",
                )
                for run in selectors.runs_of(schedule, limit=_SHOWN)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="State", ordering="next_at")
    def state_badge(self, schedule: Schedule) -> SafeString:
        state = state_of(schedule)
        said = f"{state}: {schedule.get_pause_reason_display().lower()}" if schedule.pause_reason else state
        return display.badge(said, _TONES[state])

    @admin.display(description="Rule")
    def rule(self, schedule: Schedule) -> SafeString:
        return display.code(rule_text(schedule))

    @admin.display(description="Next", ordering="next_at")
    def next(self, schedule: Schedule) -> SafeString | str:
        return display.time(schedule.next_at)

    @admin.display(description="Then (UTC)")
    def upcoming(self, schedule: Schedule) -> str:
        times = selectors.upcoming(schedule, limit=4)[1:]
        return ", ".join(f"{time:%a %d %b %H:%M}" for time in times) or display.NONE

    @admin.display(description="Next")
    def next_exact(self, schedule: Schedule) -> SafeString | str:
        return display.exact_time(schedule.next_at)

    @admin.display(description="Not before")
    def start_exact(self, schedule: Schedule) -> SafeString | str:
        return display.exact_time(schedule.start)

    @admin.display(description="Not after")
    def end_exact(self, schedule: Schedule) -> SafeString | str:
        return display.exact_time(schedule.end)

    @admin.display(description="Notification")
    def notification_json(self, schedule: Schedule) -> SafeString | str:
        return display.pretty(schedule.notification)

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        rows = queryset.filter(paused=False)
        log_operated(request, rows, "Paused.")
        paused = [services.pause_schedule(schedule_id=pk) for pk in list(rows.values_list("pk", flat=True))]
        messages.success(request, f"{len(paused)} paused. Nothing comes of them until they are resumed.")

    @admin.action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        rows = queryset.filter(paused=True).exclude(notification__recipients=[])
        for_nobody = queryset.filter(paused=True, notification__recipients=[]).count()
        log_operated(request, rows, "Resumed.")
        resumed = [services.resume_schedule(schedule_id=pk) for pk in list(rows.values_list("pk", flat=True))]
        if for_nobody:
            messages.warning(request, f"{for_nobody} left paused, for their recipients were erased. Give them others.")
        messages.success(request, f"{len(resumed)} resumed. Times of the pause are not made up for.")

    @admin.action(description="Run now", permissions=["operate"])
    def run(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        log_operated(request, queryset, "Run asked for.")
        with transaction.atomic():
            asked = [services.run_now(project_id=row.project_id, key=row.key) for row in queryset]
            transaction.on_commit(lambda: bell().ring(FIRE_TASK))
        messages.success(
            request, f"{len(asked)} asked to run; what became of it is on the schedule's page in a moment."
        )

    @button(description="Pause", icon="pause", question="Nothing comes of it until it is resumed.")
    def pause_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self.pause(request, Schedule.objects.filter(pk=object_id))
        return back_to(request, _page(object_id))

    @button(description="Resume", icon="resume", question="It goes on with its next time.")
    def resume_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self.resume(request, Schedule.objects.filter(pk=object_id))
        return back_to(request, _page(object_id))

    @button(
        description="Run now",
        icon="play_arrow",
        question="Makes the notification once, besides the schedule's own times.",
    )
    def run_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self.run(request, Schedule.objects.filter(pk=object_id))
        return back_to(request, _page(object_id))


@admin.register(ScheduleRun)
class ScheduleRunAdmin(ReadOnlyAdmin):
    """What became of the times of schedules, append-only; kept for 90 days."""

    list_display = ("outcome_badge", "schedule_link", "occurred", "notification_link", "reason", "created")
    list_display_links = ("occurred",)
    list_filter = ("outcome", CreatedFilter)
    list_select_related = ("schedule",)
    search_fields = ("schedule__key__iexact",)
    search_help_text = "A schedule's key"
    fields = ("outcome_badge", "schedule_link", "occurrence", "notification_link", "reason", "passed_over_since")

    @admin.display(description="Outcome", ordering="outcome")
    def outcome_badge(self, run: ScheduleRun) -> SafeString:
        return outcome_badge(run)

    @admin.display(description="Schedule")
    def schedule_link(self, run: ScheduleRun) -> SafeString:
        return display.link(Schedule, run.schedule_id, run.schedule)

    @admin.display(description="Time", ordering="occurrence")
    def occurred(self, run: ScheduleRun) -> str:
        return f"{run.occurrence:%Y-%m-%d %H:%M:%S} UTC"

    @admin.display(description="Notification")
    def notification_link(self, run: ScheduleRun) -> SafeString | str:
        return display.notification_link(run.notification_id) if run.notification_id else display.NONE

    @admin.display(description="Created", ordering="id")
    def created(self, run: ScheduleRun) -> SafeString | str:
        return display.time(run.created_at)


def _span_text(duration: str) -> str:
    """`PT6H` as one reads it."""
    try:
        return lasting(msgspec.convert(duration, timedelta).total_seconds())
    except msgspec.ValidationError:
        return duration


def outcome_badge(run: ScheduleRun) -> SafeString:
    """How it went."""
    return display.badge(run.outcome, _OUTCOME_TONES[run.outcome])


def wall_text(time: datetime, zone: ZoneInfo) -> str:
    """What the clock on the wall shows then."""
    return f"{time.astimezone(zone):%A, %d %B %Y %H:%M %Z}"


def _page(object_id: str) -> str:
    return reverse("admin:schedules_schedule_change", args=[object_id])

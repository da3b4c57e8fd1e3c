"""Schedules as they come in and go out."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import Flag, FreeObject, Text, Time
from api.serializing import In
from notifications import ids, texts
from notifications.recurrence_rules import check_cron, check_rrule
from schedules.models import Schedule, ScheduleRun
from schedules.services import Plan
from schedules.timing import RULES, Timing, check_duration, check_timing

_AT_HELP = "Once, at this time."
_CRON_HELP = "Five fields: minute, hour, day of month, month, day of week; with L, LW and 1#2 besides."
_EVERY_HELP = "ISO 8601 duration from PT1M to P400D, counted as elapsed time from `start`, or from when it was set."
_RRULE_HELP = "RFC 5545: DAILY, WEEKLY, MONTHLY or YEARLY, its DTSTART being `start`, or when it was set."
_CATCH_UP_HELP = (
    "What becomes of times that came while nothing ran: `all` are made up for, or `one`, the latest; `skip` makes the latest only if it is"
    " less than five minutes late."
)


class WholeSecond(Time):
    """A time without a fraction of a second."""

    def to_internal_value(self, value: Any) -> Any:
        return super().to_internal_value(value).replace(microsecond=0)


@extend_schema_field({"$ref": "#/components/schemas/NotificationIn"})
class Submission(FreeObject):
    """A body of POST /v1/notifications, without `send_at` and `expires_at`."""


class ScheduleIn(In):
    """A submission and when it is made: exactly one of `cron`, `at`, `every` and `rrule`."""

    cron = Text(check=check_cron, max_length=255, required=False, allow_null=True, help_text=_CRON_HELP)
    at = WholeSecond(required=False, allow_null=True, help_text=_AT_HELP)
    every = Text(check=check_duration, max_length=40, required=False, allow_null=True, help_text=_EVERY_HELP)
    rrule = Text(check=check_rrule, max_length=500, required=False, allow_null=True, help_text=_RRULE_HELP)
    timezone = Text(
        check=texts.check_timezone,
        max_length=64,
        required=False,
        allow_null=True,
        help_text="Whose wall clock cron and rrule go by. Without: UTC.",
    )
    start = WholeSecond(required=False, allow_null=True, help_text="Not before this time.")
    end = WholeSecond(required=False, allow_null=True, help_text="Not after this time.")
    catch_up = serializers.ChoiceField(
        choices=Schedule.CatchUp.choices, required=False, help_text=f"{_CATCH_UP_HELP} Without: one."
    )
    paused = Flag(required=False, help_text="Nothing is made while it is true.")
    notification = Submission()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {name: attrs.get(name) for name in (*RULES, "start", "end")}
        timing = Timing(**given, timezone=attrs.get("timezone") or "UTC")
        faults = check_timing(timing)
        if faults:
            raise serializers.ValidationError(
                {fault.pointer[1:] or "non_field_errors": fault.detail for fault in faults}
            )
        plan = Plan(
            timing=timing,
            paused=attrs.get("paused", False),
            catch_up=attrs.get("catch_up", Schedule.CatchUp.ONE.value),
            notification=attrs["notification"],
        )
        return {"plan": plan}


class ScheduleOut(serializers.Serializer[Any]):
    """A submission and when it is made."""

    key = serializers.CharField()
    cron = serializers.CharField(allow_null=True)
    at = Time(allow_null=True)
    every = serializers.CharField(allow_null=True)
    rrule = serializers.CharField(allow_null=True)
    timezone = serializers.CharField()
    start = Time(allow_null=True)
    end = Time(allow_null=True)
    catch_up = serializers.ChoiceField(choices=Schedule.CatchUp.choices, help_text=_CATCH_UP_HELP)
    paused = serializers.BooleanField()
    pause_reason = serializers.SerializerMethodField(
        help_text="Why it paused by itself: `recipient_erased`, for it is left for nobody. Null: somebody paused it, or it is not paused."
    )
    notification = Submission()
    next_at = Time(allow_null=True, help_text="Null: paused, or over.")
    created_at = Time()
    updated_at = Time()

    def get_pause_reason(self, schedule: Schedule) -> str | None:
        return schedule.pause_reason or None


class ScheduleRunOut(serializers.Serializer[Any]):
    """What became of one time."""

    occurrence = Time(help_text="The time by the rule, or when the run was asked for.")
    outcome = serializers.ChoiceField(
        choices=ScheduleRun.Outcome.choices,
        help_text="`missed`: not made up for. `refused`: the notification was not acceptable any more.",
    )
    notification_id = serializers.SerializerMethodField(help_text="What was accepted.")
    reason = serializers.CharField(allow_blank=True, help_text="Why it was refused.")
    passed_over_since = Time(
        allow_null=True, help_text="The first of the earlier times that were missed and are not made up for."
    )
    created_at = Time()

    def get_notification_id(self, run: ScheduleRun) -> str | None:
        return None if run.notification_id is None else ids.encode("ntf", run.notification_id)


class UpcomingOut(serializers.Serializer[Any]):
    """A time to come."""

    occurrence = Time()


class OccurrencesOut(serializers.Serializer[Any]):
    """The next times, soonest first, and the last ones, latest first."""

    upcoming = UpcomingOut(many=True)
    past = ScheduleRunOut(many=True)


def given(schedule: Schedule) -> dict[str, Any]:
    """A schedule as somebody might have put it: what a patch is applied to."""
    times = {name: texts.optional_time(getattr(schedule, name)) for name in ("at", "start", "end")}
    names = ("cron", "every", "rrule", "timezone", "catch_up", "paused", "notification")
    body = {name: getattr(schedule, name) for name in names}
    return {name: value for name, value in {**body, **times}.items() if value is not None}


def upcoming_out(times: list[datetime]) -> list[dict[str, str]]:
    return [{"occurrence": texts.format_time(time)} for time in times]

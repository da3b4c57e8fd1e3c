"""Recurring and future submissions, and what became of each of their times."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications import ids
from notifications.models import Project
from schedules.timing import RULES, Timing


def _only(name: str) -> Q:
    """Of the four kinds of rule this one is set."""
    return Q(**{f"{kind}__isnull": kind != name for kind in RULES})


class Schedule(models.Model):
    """A submission and the rule that says when it is made. Changed by `services`, moved on by `firing`.

    `next_at` is the rule's next time, and null exactly when there is none: paused, or over. `asked_at` is set while somebody has
    asked for a run that was not made yet. Whoever fires it locks the row and moves both in the transaction that accepts the
    notification, so a time is fired once however many try.
    """

    class CatchUp(models.TextChoices):
        SKIP = "skip"
        ONE = "one"
        ALL = "all"

    class PauseReason(models.TextChoices):
        RECIPIENT_ERASED = "recipient_erased"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="schedules", db_index=False)
    key = models.CharField(max_length=255, help_text="The caller's own name for it.")
    cron = models.CharField(max_length=255, null=True, blank=True)
    at = models.DateTimeField(null=True, blank=True)
    every = models.CharField(max_length=40, null=True, blank=True, help_text="ISO 8601 duration.")
    rrule = models.CharField(max_length=500, null=True, blank=True, verbose_name="RRULE")
    timezone = models.CharField(max_length=64, db_default="UTC", help_text="Whose wall clock cron and RRULE go by.")
    start = models.DateTimeField(null=True, blank=True, help_text="Not before this time.")
    end = models.DateTimeField(null=True, blank=True, help_text="Not after this time.")
    anchor = models.DateTimeField(help_text="What `every` and RRULE count from: `start`, or when the rule was set.")
    catch_up = models.CharField(
        max_length=8, choices=CatchUp, db_default=CatchUp.ONE, help_text="What becomes of times that were missed."
    )
    paused = models.BooleanField(db_default=False)
    pause_reason = models.CharField(
        max_length=32,
        choices=PauseReason,
        blank=True,
        db_default="",
        help_text="Why it paused by itself; empty: somebody paused it, or it is not paused.",
    )
    notification = models.JSONField(help_text="A body of POST /v1/notifications.")
    next_at = models.DateTimeField(null=True, blank=True, help_text="Empty: paused, or over.")
    asked_at = models.DateTimeField(null=True, blank=True, help_text="A run was asked for, and is about to be made.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="schedule_once"),
            models.CheckConstraint(
                name="schedule_one_rule", condition=_only("cron") | _only("at") | _only("every") | _only("rrule")
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], name="schedule_due", condition=Q(next_at__isnull=False)),
            models.Index(fields=["asked_at"], name="schedule_asked", condition=Q(asked_at__isnull=False)),
            # Cursor-paged lists of one project.
            models.Index(fields=["project", "-id"], name="schedule_of_project"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def timing(self) -> Timing:
        """What it says about its times."""
        return Timing(
            cron=self.cron,
            at=self.at,
            every=self.every,
            rrule=self.rrule,
            timezone=self.timezone,
            start=self.start,
            end=self.end,
        )


class ScheduleRun(models.Model):
    """What became of one time of a schedule. Written by `firing` in the transaction that accepted the notification.

    That there is one row per schedule and time is what makes a second firing of the same time impossible.
    """

    class Outcome(models.TextChoices):
        FIRED = "fired"
        MISSED = "missed"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="runs", db_index=False)
    occurrence = models.DateTimeField(help_text="The time by the rule, or when it was asked for.")
    outcome = models.CharField(max_length=8, choices=Outcome)
    notification_id = models.UUIDField(null=True, blank=True, help_text="Null unless fired.")
    reason = models.CharField(max_length=500, db_default="", help_text="Why it was refused.")
    passed_over_since = models.DateTimeField(
        null=True, blank=True, help_text="The first of the earlier times that were missed and are not made up for."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "occurrence"], name="schedulerun_once")]
        indexes = [models.Index(fields=["created_at"], name="schedulerun_age")]

    def __str__(self) -> str:
        return f"{self.occurrence:%Y-%m-%d %H:%M:%S} {self.outcome}"

"""Who takes messages off our hands: providers in order, and how each is doing."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications import ids
from notifications.models import Project
from notifications.sealed_columns import register_sealed


class Provider(models.Model):
    """One provider of a channel. Operators make them in the admin; those of the environment (`SMTP_URL`) have a row
    for their health only, made by whoever starts first: what they are and their secrets stay in the environment.

        healthy ──workers: down, in trouble, login refused──> paused ──a probe worked, an operator's "Try again"──> healthy

    Workers read all rows every few seconds. They write health when it changes, never per message; `health_version`
    counts the changes, so that every process believes the latest. Seconds that matter are the database's.
    """

    class State(models.TextChoices):
        HEALTHY = "healthy"
        PAUSED = "paused"

    class Origin(models.TextChoices):
        ADMIN = "admin"
        ENVIRONMENT = "environment"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: for all projects. A project's own providers are asked before those.",
    )
    channel = models.CharField(max_length=40, db_default="email", default="email")
    kind = models.CharField(max_length=40, db_default="smtp", default="smtp")
    origin = models.CharField(
        max_length=16, choices=Origin.choices, db_default="admin", default="admin", editable=False
    )
    name = models.CharField(max_length=100, help_text="Shown in attempts, logs and metrics.")
    position = models.PositiveIntegerField(
        db_default=50, default=50, help_text="The lowest is asked first. The servers of SMTP_URL stand at 100, 101, …"
    )
    enabled = models.BooleanField(db_default=True, default=True)
    settings = models.JSONField(default=dict, db_default={}, help_text="Everything but secrets; see the kind's module.")
    sealed_secrets = models.TextField(
        blank=True, editable=False, db_default="", default="", help_text="Encrypted JSON; see notifications/sealing.py."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    state = models.CharField(
        max_length=16, choices=State.choices, db_default="healthy", default="healthy", editable=False
    )
    reason = models.CharField(max_length=64, db_default="", default="", blank=True, editable=False)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False, help_text="When it is probed.")
    consecutive_failures = models.PositiveIntegerField(db_default=0, default=0, editable=False)
    last_success_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Of a change to healthy, or the first success after a start."
    )
    last_failure_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Of a pause.")
    health_version = models.BigIntegerField(db_default=0, default=0, editable=False)

    class Meta:
        ordering = ["channel", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["channel", "name"], name="provider_name_once", condition=Q(origin="admin")),
            models.CheckConstraint(
                name="provider_paused_until",
                condition=Q(state="paused") | Q(paused_until__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name


register_sealed("delivery.Provider", "sealed_secrets")

"""Accepted requests, and the keys that make a repeated request harmless."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications import ids
from notifications.models.projects import ApiKey, Project
from notifications.models.workflows import WorkflowVersion
from notifications.sealed_columns import register_sealed


class Notification(models.Model):
    """One accepted request. Written by `intake` in the transaction whose commit is the 202; read by `delivery.route`.

        accepted ──claimed, expanded in chunks──> routed
           ├──cancel before routing ended──> cancelled
           ├──`expires_at` passed──────────> expired
           └──claimed too often────────────> failed (reason `poison`)

    `available_at` is when routing may (again) claim the row: now, `send_at`, or the end of a lease. It is null exactly
    when there is nothing left to do, which `notification_open_is_scheduled` enforces.
    Deliberately without a foreign key constraint on the project: its check locks the one project row for every insert.
    """

    class Status(models.TextChoices):
        ACCEPTED = "accepted"
        ROUTED = "routed"
        CANCELLED = "cancelled"
        EXPIRED = "expired"
        FAILED = "failed"

    class QuietHours(models.TextChoices):
        DEFER = "defer"
        DROP = "drop"
        BREAK_THROUGH = "break_through"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="notifications", db_constraint=False, db_index=False
    )
    api_key = models.ForeignKey(
        ApiKey,
        on_delete=models.DO_NOTHING,  # keys are revoked, not deleted
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="The key it was accepted with; empty where nobody's request made it.",
    )
    status = models.CharField(max_length=16, choices=Status, db_default=Status.ACCEPTED)
    reason = models.CharField(max_length=64, db_default="")
    workflow = models.CharField(max_length=255, null=True, blank=True)
    workflow_version = models.ForeignKey(
        WorkflowVersion,
        on_delete=models.DO_NOTHING,  # what was published is never deleted but with its project
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="What it follows, whatever is published later; null: the request said it all.",
    )
    category = models.CharField(max_length=255, null=True, blank=True)
    critical = models.BooleanField(db_default=False)
    quiet_hours = models.CharField(
        max_length=16,
        choices=QuietHours,
        null=True,
        blank=True,
        help_text="What becomes of it in quiet hours; null: as the recipient, the project or its workflow's steps say.",
    )
    actor = models.CharField(max_length=255, null=True, blank=True)
    thread = models.CharField(max_length=255, null=True, blank=True, help_text="What mail programs show together.")
    recipients = models.JSONField(
        help_text="Entries as given: a recipient's id, or {topic}; inline fields are stored with the recipient."
    )
    content = models.JSONField(help_text="{title, body, action_url, attachments}; empty where a workflow says it.")
    channels = ArrayField(
        models.CharField(max_length=40),
        blank=True,
        help_text="What to use; of a workflow's channels only these, or all where empty.",
    )
    data = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    cancellation_key = models.CharField(max_length=255, null=True, blank=True)
    send_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    routed_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(
        null=True, blank=True, help_text="Somebody said they take care; empty: nobody."
    )
    acknowledged_by = models.CharField(
        max_length=255, null=True, blank=True, help_text="A recipient's id, if it is known."
    )
    available_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    lease_token = models.UUIDField(null=True, blank=True)
    claims = models.SmallIntegerField(db_default=0, help_text="Claims since the last recorded progress.")
    route_cursor = models.JSONField(null=True, blank=True, help_text="{entry, after}: how far the expansion has come.")

    class Meta:
        constraints = [
            # The conservation law's second half: whatever is open has a time at which it will be looked at again.
            models.CheckConstraint(
                name="notification_open_is_scheduled",
                condition=Q(status="accepted", available_at__isnull=False)
                | (~Q(status="accepted") & Q(available_at__isnull=True)),
            ),
        ]
        indexes = [
            # What routing claims from, project by project; holds open rows only, so it stays small.
            models.Index(
                fields=["critical", "project", "available_at"],
                name="notification_due_of_project",
                condition=Q(available_at__isnull=False),
            ),
            # Cursor-paged lists of one project; ids grow with time.
            models.Index(fields=["project", "-id"], name="notification_of_project"),
            models.Index(
                fields=["project", "cancellation_key"],
                name="notification_cancellation",
                condition=Q(cancellation_key__isnull=False),
            ),
            # How the traces of an erased person are found; what was routed is found by its deliveries.
            models.Index(fields=["project", "actor"], name="notification_of_actor", condition=Q(actor__isnull=False)),
            models.Index(
                fields=["project", "acknowledged_by"],
                name="notification_acknowledged_by",
                condition=Q(acknowledged_by__isnull=False),
            ),
            GinIndex(
                fields=["recipients"],
                name="notification_unrouted_to",
                condition=Q(status__in=["cancelled", "expired", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode("ntf", self.id)


class IdempotencyKey(models.Model):
    """One `Idempotency-Key` and the answer it got; kept 24 h.

    Written in the transaction that does the work, so there is no moment at which one of them exists alone. A second
    request with the same key waits on the unique index, then finds the answer.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    status = models.SmallIntegerField(help_text="HTTP status of the first answer.")
    response = models.TextField(help_text="Body of the first answer.")
    headers = models.JSONField(default=dict, db_default={}, help_text="Headers of the first answer worth repeating.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.key


register_sealed("notifications.IdempotencyKey", "response")

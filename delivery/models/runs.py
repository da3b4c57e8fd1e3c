"""Where recipients stand in workflows."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now

from notifications import ids
from notifications.models import Notification, Project, Recipient

_ALONE = models.Value("00000000-0000-0000-0000-000000000000", output_field=models.UUIDField())


class Run(models.Model):
    """One recipient's walk through one version of a workflow, or that of a digest through the steps behind it.

        waiting ──due──> (walks on) ──> waiting | done
           ├──notification cancelled──> cancelled
           ├──`expires_at` passed─────> expired
           └──cannot be walked────────> failed

    Written by `delivery/runs`. Who walks to the end without waiting, and with nothing to tell but deliveries, has no row. `available_at`
    is when the walk goes on, null exactly when it has ended. No lease: a walk is one transaction, without any network.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        CANCELLED = "cancelled"
        EXPIRED = "expired"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    notification = models.ForeignKey(
        Notification,
        on_delete=models.CASCADE,
        related_name="runs",
        db_constraint=False,
        db_index=False,
        help_text="A digest's: the one that opened it.",
    )
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="runs", db_constraint=False)
    digest_id = models.UUIDField(
        null=True, blank=True, help_text="The digest that walks; null: one notification alone."
    )
    version_id = models.UUIDField(help_text="The workflow's version; it stays, whatever is published meanwhile.")
    critical = models.BooleanField(db_default=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=State)
    reason = models.CharField(max_length=64, db_default="", blank=True)
    position = models.SmallIntegerField(default=0, help_text="The step at which it goes on.")
    memory = models.JSONField(default=dict, help_text="What the step at `position` has done so far.")
    log = models.JSONField(default=list, help_text="Decisions that no delivery shows, oldest first.")
    available_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Routing that is repeated after a crash begins no second walk.
            models.UniqueConstraint("notification", "recipient", Coalesce("digest_id", _ALONE), name="run_once"),
            models.CheckConstraint(
                name="run_waiting_or_finished",
                condition=Q(state="waiting", available_at__isnull=False, finished_at__isnull=True)
                | (~Q(state="waiting") & Q(available_at__isnull=True, finished_at__isnull=False) & ~Q(reason="")),
            ),
        ]
        indexes = [
            # What walks on, project by project; holds waiting rows only.
            models.Index(
                fields=["critical", "project", "available_at"],
                name="run_due_of_project",
                condition=Q(available_at__isnull=False),
            ),
            models.Index(fields=["digest_id"], name="run_of_digest", condition=Q(digest_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode("run", self.id)

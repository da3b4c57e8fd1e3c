"""Status events for the caller: where he wants to be told, what was told, and how each telling goes."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications import ids
from notifications.models import Project, Recipient
from notifications.sealed_columns import register_sealed


class EventEndpoint(models.Model):
    """One address of the project itself that hears of status events. Made, changed and removed over the API.

    enabled ──410, or by the caller──> disabled ──PUT──> enabled

    While it is disabled nothing is recorded for it; what had been recorded waits.
    """

    class State(models.TextChoices):
        ENABLED = "enabled"
        DISABLED = "disabled"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255, help_text="The caller's own name for it.")
    url = models.CharField("URL", max_length=2048)
    sealed_secret = models.TextField(editable=False, help_text="Encrypted; see notifications/sealing.py.")
    types = ArrayField(models.CharField(max_length=64), default=list, blank=True, help_text="Empty: all types.")
    description = models.CharField(max_length=255, blank=True, default="")
    state = models.CharField(max_length=16, choices=State, default=State.ENABLED)
    disabled_reason = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            # Also what every recording statement looks into: does this project listen at all?
            models.UniqueConstraint(fields=["project", "key"], name="event_endpoint_key"),
        ]

    def __str__(self) -> str:
        return self.key


class StatusEvent(models.Model):
    """Something that happened, recorded in the transaction in which it did; only where an endpoint wanted to know.

    `data` holds ids as bare UUIDs; `delivery/status_events/shapes.py` gives it its public form.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    type = models.CharField(max_length=64)
    # Not in `data`, so that erasing a person erases what was told about them.
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, null=True, related_name="+", db_constraint=False)
    data = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # Cursor-paged lists of one project.
            models.Index(fields=["project", "-id"], name="status_event_of_project"),
            # What is forgotten by age.
            models.Index(fields=["created_at"], name="status_event_age"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode("evt", self.id)


class StatusDispatch(models.Model):
    """One status event on its way to one endpoint; `available_at` and `lease_token` as with a delivery.

    pending ──2xx──> delivered
       └──retries used up, or a permanent failure──> failed
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    event = models.ForeignKey(
        StatusEvent, on_delete=models.CASCADE, related_name="dispatches", db_constraint=False, db_index=False
    )
    endpoint = models.ForeignKey(
        EventEndpoint, on_delete=models.CASCADE, related_name="dispatches", db_constraint=False, db_index=False
    )
    state = models.CharField(max_length=16, choices=State, db_default=State.PENDING)
    attempt_count = models.IntegerField(db_default=0)
    retry_step = models.SmallIntegerField(db_default=0, help_text="How far along the retry schedule.")
    outcome = models.CharField(max_length=64, db_default="", blank=True, help_text="Of the last attempt.")
    response = models.JSONField(null=True, blank=True, help_text="What was answered last.")
    available_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "status dispatches"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="status_dispatch_once"),
            # Whatever is open has a time at which it will be looked at again.
            models.CheckConstraint(
                name="status_dispatch_open_is_scheduled",
                condition=Q(state="pending", available_at__isnull=False, finished_at__isnull=True)
                | (~Q(state="pending") & Q(available_at__isnull=True, finished_at__isnull=False)),
            ),
        ]
        # What the lane claims from, and how an endpoint's rows are found when it is removed.
        indexes = [models.Index(fields=["endpoint", "available_at"], name="status_dispatch_due")]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"


register_sealed("delivery.EventEndpoint", "sealed_secret")

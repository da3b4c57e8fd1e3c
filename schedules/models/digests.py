"""Open batches of notifications, and what is in them."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from notifications import ids
from notifications.models import Notification, Project, Recipient


class Digest(models.Model):
    """What collects under one key for one recipient at one step of one workflow, until its window closes.

        joinable ──full, or its time has come──> sealed ──its run goes on──> closed

    Opened by the first event that finds none (`schedules/digests.py`), closed by the run that carries it (`delivery/runs`) in the
    transaction that makes its delivery. What is due is the run; a digest that is not closed has an open one.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="digests", db_constraint=False)
    workflow_id = models.UUIDField(help_text="The workflow, whatever version: a new one goes on with the open digest.")
    step = models.CharField(max_length=80)
    key = models.CharField(max_length=255, help_text="What the workflow's digest_key came to.")
    count = models.IntegerField(default=0, help_text="Items in it, removed ones excepted.")
    joinable = models.BooleanField(db_default=True)
    opened_at = models.DateTimeField()
    latest_at = models.DateTimeField(help_text="When the last item joined.")
    closes_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Empty: still open.")

    class Meta:
        constraints = [
            # One open digest per recipient, workflow, step and key: whoever joins at the same moment joins the same one.
            models.UniqueConstraint(
                fields=["recipient", "workflow_id", "step", "key"], condition=Q(joinable=True), name="digest_open_once"
            ),
            models.CheckConstraint(name="digest_closed_for_good", condition=Q(closed_at=None) | Q(joinable=False)),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode("dig", self.id)


class DigestItem(models.Model):
    """One event in one digest. Leaves it when its notification is cancelled before the digest closes."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="items", db_constraint=False)
    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    step = models.CharField(max_length=80)
    joined_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True, blank=True, help_text="Empty: in it.")
    removed_reason = models.CharField(max_length=64, db_default="", blank=True)

    class Meta:
        constraints = [
            # An event is in one digest of a step, never in two. Also the index that cancelling and explaining look into.
            models.UniqueConstraint(fields=["notification", "recipient", "step"], name="digest_item_once"),
        ]
        ordering = [F("id").asc()]

    def __str__(self) -> str:
        return f"{self.notification_id} in {self.digest_id}"

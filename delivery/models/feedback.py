"""What came back after a delivery was sent, and the ways by which it may come."""

from django.db import models
from django.db.models.functions import Now

from delivery.feedback.kinds import Kind
from delivery.models.deliveries import Delivery
from notifications import ids
from notifications.models import Project
from notifications.sealed_columns import register_sealed


class DeliveryEvent(models.Model):
    """One thing that was reported about a delivery later: a bounce, a delay, a confirmation, a complaint. Append-only.

    Written by `delivery.feedback.effects` together with everything that follows from it. `event_id` names the report at its
    source and begins with the source, so a report that is read twice is one row. The foreign key is a real one: reports are
    rare, and none may outlive an erased person's delivery.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="events", db_index=False)
    type = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in Kind])
    source = models.CharField(max_length=24, help_text="dsn, feedback_report or callback.")
    event_id = models.CharField(max_length=320)
    status = models.CharField(max_length=12, db_default="", blank=True, help_text="RFC 3463, such as 5.1.1.")
    detail = models.CharField(max_length=500, db_default="", blank=True)
    occurred_at = models.DateTimeField(help_text="As the source says; never in the future.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            # What makes repetition harmless; also finds a delivery's events.
            models.UniqueConstraint(fields=["delivery", "event_id"], name="delivery_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.source})"


class CallbackSource(models.Model):
    """A mail provider, or a script in front of one, that may report what became of one project's mail.

    Made and deleted through the API; the secret is shown once and kept sealed.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="callback_sources")
    name = models.CharField(max_length=200)
    sealed_secret = models.TextField(editable=False, help_text="Encrypted; see notifications/sealing.py.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return ids.encode("cbk", self.id)


class BounceMailbox(models.Model):
    """One mailbox that is read for bounces: who is reading it, and how the last look went. Made by the first poll.

    A poller takes the row under a lease by the database's clock, so that two do not read side by side; if its process dies, the
    lease runs out. Reading the same mail twice would still be harmless: events know their report.
    """

    mailbox = models.CharField(max_length=255, primary_key=True, help_text="user@host/folder, without the password.")
    lease_token = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True, help_text="The last look that ended well.")
    last_error = models.CharField(max_length=200, db_default="", blank=True)

    class Meta:
        verbose_name_plural = "bounce mailboxes"

    def __str__(self) -> str:
        return self.mailbox


register_sealed("delivery.CallbackSource", "sealed_secret")

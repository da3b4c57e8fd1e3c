"""Addresses that must not be written to."""

from django.db import models
from django.db.models.functions import Now

from notifications import ids
from notifications.models.projects import Project


class Suppression(models.Model):
    """One reason for which a project does not write to one address; an address may have several.

    Made by a hard bounce or a complaint (`delivery.feedback`, `delivery.suppressing`), by the API or by an operator; ends by
    `expires_at` or by deletion. `address` is in its normal form (`notifications/addresses.py`) and null once the person was erased:
    the keyed hash stays and keeps suppressing. `source_delivery_id` is the delivery that came back, which may be gone.
    """

    class Reason(models.TextChoices):
        BOUNCE = "bounce"
        COMPLAINT = "complaint"
        UNSUBSCRIBE = "unsubscribe"
        MANUAL = "manual"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="suppressions")
    channel = models.CharField(max_length=40, db_default="email", default="email")
    address = models.CharField(max_length=320, null=True, blank=True, help_text="Empty: its person was erased.")
    address_hash = models.BinaryField(max_length=32, editable=False, help_text="HMAC-SHA256 of the address.")
    reason = models.CharField(max_length=16, choices=Reason)
    detail = models.CharField(max_length=500, db_default="", blank=True)
    source_delivery_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")

    class Meta:
        constraints = [
            # By the hash first: routing and sending ask for many addresses at once.
            models.UniqueConstraint(fields=["address_hash", "project", "channel", "reason"], name="suppression_once"),
        ]
        indexes = [
            # Cursor-paged lists of one project.
            models.Index(fields=["project", "-id"], name="suppression_of_project"),
            # Erasing a person finds the addresses that came back under former ones.
            models.Index(
                fields=["source_delivery_id"],
                name="suppression_source",
                condition=models.Q(source_delivery_id__isnull=False, address__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode("sup", self.id)

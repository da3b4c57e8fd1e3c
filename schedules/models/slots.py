"""When one recipient was last given a place, for what may come only so often."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from notifications.models import Project, Recipient


class SlotLog(models.Model):
    """The last places that one recipient was given under one key: a frequency cap, or a workflow's throttle.

    Made and moved on by `schedules/slots.py` alone, which locks the row, so that places are given one after the other. After
    `expires_at` it says nothing any more and is forgotten.
    """

    pk = models.CompositePrimaryKey("recipient_id", "key")
    recipient = models.ForeignKey(
        Recipient, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    key = models.CharField(max_length=600, help_text="What is counted together.")
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    times = ArrayField(models.DateTimeField(), help_text="Oldest first; those to come are places that were put off.")
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="slotlog_expires")]

    def __str__(self) -> str:
        return f"{self.key} of {self.recipient_id}"

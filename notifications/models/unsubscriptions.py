"""What recipients have said they do not want."""

from django.db import models
from django.db.models.functions import Now

from notifications import ids
from notifications.models.people import Recipient
from notifications.models.projects import Project


class Unsubscription(models.Model):
    """One recipient who wants nothing of one category over one channel.

    Made by the link in a mail (`services/unsubscriptions.py`), ended by deletion. Routing and sending suppress what it
    names, unless it is critical.
    """

    class Source(models.TextChoices):
        ONE_CLICK = "one_click", "one click in the mail program (RFC 8058)"
        PAGE = "page", "button of the page"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="unsubscriptions", db_index=False)
    channel = models.CharField(max_length=40)
    category = models.CharField(max_length=255)
    source = models.CharField(max_length=16, choices=Source)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            # Saying it twice changes nothing; also the index that routing and claiming look into, by recipient and channel.
            models.UniqueConstraint(fields=["recipient", "channel", "category"], name="unsubscription_once"),
        ]
        indexes = [models.Index(fields=["project", "-id"], name="unsubscription_of_project")]

    def __str__(self) -> str:
        return f"{self.recipient_id} wants no {self.category} by {self.channel}"

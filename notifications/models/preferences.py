"""What recipients have said about what they want."""

from django.db import models
from django.db.models.functions import Now

from notifications.models.people import Recipient
from notifications.models.projects import Project


class RecipientPreferences(models.Model):
    """One recipient's own preferences; no row means that nothing was ever said, and the project's hold.

    Made and changed by the API, by the page that every mail links to and by one click in a mail program
    (`services/preferences.py`); ends with the recipient. Routing and sending ask it for whole batches, by recipient.
    """

    class Source(models.TextChoices):
        API = "api", "API"
        PAGE = "page", "page of the recipient"
        ONE_CLICK = "one_click", "one click in the mail program (RFC 8058)"
        ADMIN = "admin", "admin"

    recipient = models.OneToOneField(
        Recipient, on_delete=models.CASCADE, primary_key=True, related_name="preferences", editable=False
    )
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False, editable=False)
    settings = models.JSONField(default=dict, help_text="See notifications/preferences/parsing.py.")
    source = models.CharField(max_length=16, choices=Source, db_default=Source.API, help_text="Of the last change.")
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "recipients' preferences"
        indexes = [models.Index(fields=["project", "-recipient"], name="preferences_of_project")]

    def __str__(self) -> str:
        return f"preferences of {self.recipient}"

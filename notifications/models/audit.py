"""The audit log."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One change of how a project or the installation is set up: who changed what. Never changed and never deleted.

    Written by triggers of the tables themselves (migrations `audit_log`), so in the transaction of the change and whoever makes it:
    the API, the admin, a command. Only names of columns are kept, for values may be secret.
    """

    class Action(models.TextChoices):
        INSERT = "insert", "made"
        UPDATE = "update", "changed"
        DELETE = "delete", "removed"

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=200, db_default="", help_text="An API key or a user. Empty: Carillon itself.")
    action = models.CharField(max_length=6, choices=Action)
    subject = models.CharField(max_length=63, help_text="The table.")
    subject_id = models.CharField(max_length=64)
    project_id = models.UUIDField(null=True, help_text="Empty: the installation.")
    changed = ArrayField(models.CharField(max_length=63), help_text="Names of columns.")

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["project_id", "-id"], name="audit_of_project")]

    def __str__(self) -> str:
        return f"{self.subject} {self.subject_id} {self.action}"

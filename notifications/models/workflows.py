"""What to do for one kind of event, and every version of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications import ids
from notifications.models.projects import Project


class Workflow(models.Model):
    """What to do for one kind of event; made by its first PUT, ends by `archived_at`, never by deletion.

    Notifications keep the version they were accepted with, so publishing and archiving change nothing that is under way.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="workflows")
    key = models.CharField(max_length=255)
    published_version = models.ForeignKey(
        "WorkflowVersion",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="What new notifications follow; null: there is only a draft.",
    )
    archived_at = models.DateTimeField(null=True, blank=True, help_text="New notifications are refused; null: in use.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            # Also the index by which intake finds what a request names.
            models.UniqueConstraint(fields=["project", "key"], name="workflow_key"),
        ]
        indexes = [
            # Cursor-paged lists of one project.
            models.Index(fields=["project", "-id"], name="workflow_of_project"),
        ]

    def __str__(self) -> str:
        return self.key


class WorkflowVersion(models.Model):
    """One definition, as it was given. What was published is never changed again.

        draft ──publish──> published ──another is published──> superseded
          └──another draft──> (deleted)      └<──────publish (roll back)──────┘

    Moved by `notifications/services/workflows.py` alone.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        SUPERSEDED = "superseded"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.IntegerField()
    definition = models.JSONField(help_text="See notifications/workflows/shapes.py.")
    state = models.CharField(max_length=16, choices=State)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    published_at = models.DateTimeField(null=True, blank=True, help_text="When last; null: never.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "number"], name="workflow_version_number"),
            # There is one draft to work on, and one version that holds.
            models.UniqueConstraint(fields=["workflow"], name="workflow_version_one_draft", condition=Q(state="draft")),
            models.UniqueConstraint(
                fields=["workflow"], name="workflow_version_one_published", condition=Q(state="published")
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

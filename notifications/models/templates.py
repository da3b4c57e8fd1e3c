"""What is said: templates, and the layouts and partials that they are made with."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from notifications import ids
from notifications.models.projects import Project


class Template(models.Model):
    """One thing that a project says, or a part of it, by its key. Its texts are in its versions.

    Made and changed by `services.templates.put_template`; which version is in use, `publish_version` says.
    """

    class Kind(models.TextChoices):
        """What it is for."""

        TEMPLATE = "template"
        LAYOUT = "layout"
        PARTIAL = "partial"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="templates")
    key = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=Kind.choices, help_text="Never changes, others rely on it.")
    name = models.CharField(max_length=255, blank=True, db_default="")
    published = models.ForeignKey(
        "TemplateVersion",
        on_delete=models.RESTRICT,
        null=True,
        editable=False,
        related_name="+",
        help_text="The version in use. Null only while the first one is being written.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="template_key_per_project")]

    def __str__(self) -> str:
        return self.key


class TemplateVersion(models.Model):
    """What a template said from some time on; never changed, so that what was sent can be understood.

    `variants` by kind:

        template   {"email": {"default": {"subject", "body" | "html", "layout"}, "de": {...}}, "default": {...any channel...}}
        layout     {"default": {"html": "... {{ content }} ..."}, "de": {...}}
        partial    {"default": {"text": "..."}, "de": {...}}
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="Counted from 1.")
    variants = models.JSONField()
    references = ArrayField(models.CharField(max_length=255), help_text="Keys of the layouts and partials it uses.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_number")]

    def __str__(self) -> str:
        return f"version {self.number}"

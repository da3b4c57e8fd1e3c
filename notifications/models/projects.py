"""Tenants and the keys that open them."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from notifications import ids


class Project(models.Model):
    """A tenant. Everything but Beat's schedules and the admin's users belongs to exactly one."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    name = models.CharField(max_length=200, unique=True)
    contact_email = models.CharField(
        max_length=320,
        null=True,
        blank=True,
        help_text="Who is told when something needs a person, such as an endpoint that was disabled. Empty: nobody.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """One way into a project. The key itself is shown once at creation; only its SHA-256 stays here.

    Made by `services.create_api_key`; ends by `expires_at` or `revoked_at`, never by deletion, so that the log of
    who did what keeps its names.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=200)
    public_id = models.CharField(max_length=16, unique=True, editable=False, help_text="The part that may be shown.")
    digest = models.CharField(max_length=64, editable=False, help_text="Hex SHA-256 of the whole key.")
    scopes = ArrayField(models.CharField(max_length=40), help_text="What the key may do; `admin` contains all.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="Empty: in use.")

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} (crl_{self.public_id}…)"

    def is_usable(self, now: datetime) -> bool:
        """Whether the key opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ProjectSettings(models.Model):
    """What a project says about itself and decides for all its recipients; no row means the defaults.

    Changed through `/v1/project` and the admin.
    """

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="settings")
    default_locale = models.CharField(max_length=35, db_default="en", help_text="Where a recipient has none.")
    timezone = models.CharField(max_length=64, db_default="UTC", help_text="IANA name, where a recipient has none.")
    brand = models.JSONField(default=dict, db_default={}, help_text="{name, logo_url, color, footer}")
    preferences = models.JSONField(default=dict, db_default={}, help_text="What holds where a recipient says nothing.")
    caps = models.JSONField(default=dict, db_default={}, help_text="How many deliveries one recipient gets in a time.")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "project settings"

    def __str__(self) -> str:
        return f"settings of {self.project_id}"

"""Whom to tell: recipients, their further addresses, and named groups of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from notifications import ids
from notifications.models.projects import Project
from notifications.sealed_columns import register_sealed


class Recipient(models.Model):
    """A person or system to be told, known by the caller's own id.

    Upserted by PUT, by an inline entry of a notification, or bare (only the id) by routing; erased by DELETE.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="recipients")
    external_id = models.CharField("caller's id", max_length=255, help_text="The caller's own id.")
    email = models.CharField(max_length=320, null=True, blank=True)
    phone = models.CharField(max_length=16, null=True, blank=True, help_text="E.164, such as +4915112345678.")
    name = models.CharField(max_length=255, null=True, blank=True)
    locale = models.CharField(max_length=35, null=True, blank=True, help_text="BCP 47, such as de-AT.")
    timezone = models.CharField(max_length=64, null=True, blank=True, help_text="IANA, such as Europe/Berlin.")
    data = models.JSONField(default=dict, blank=True, help_text="Free fields for templates.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            # The upsert's conflict target, and the look-up by the caller's id.
            models.UniqueConstraint(fields=["project", "external_id"], name="recipient_external_id"),
        ]
        indexes = [
            # Cursor-paged lists of one project.
            models.Index(fields=["project", "-id"], name="recipient_of_project"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Endpoint(models.Model):
    """One address of a recipient on a channel beyond email and phone: a webhook's URL with its secret.

    enabled ──410, or five days of nothing but failures──> disabled ──PATCH──> enabled

    What it signs with is a key ring (`notifications/signing_keys.py`); after a rotation the former ring signs along until
    `old_secret_until`, whoever may have forgotten to sweep it away.
    """

    class State(models.TextChoices):
        ENABLED = "enabled"
        DISABLED = "disabled"

    class Signature(models.TextChoices):
        V1 = "v1", "v1 (HMAC-SHA256)"
        V1A = "v1a", "v1a (Ed25519)"
        BOTH = "both", "both"

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="endpoints")
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="endpoints")
    channel = models.CharField(max_length=40)
    url = models.CharField("URL", max_length=2048)
    sealed_secret = models.TextField(blank=True, editable=False, help_text="Encrypted; see notifications/sealing.py.")
    signature = models.CharField(
        max_length=8, choices=Signature, db_default=Signature.V1, help_text="Which of Standard Webhooks' signatures."
    )
    public_key = models.CharField(max_length=64, blank=True, db_default="", help_text="whpk_...; empty without v1a.")
    sealed_old_secret = models.TextField(blank=True, db_default="", editable=False)
    old_secret_until = models.DateTimeField(null=True, blank=True, help_text="Null: no rotation in the last 24 h.")
    sealed_headers = models.TextField(
        blank=True, db_default="", editable=False, help_text="JSON object of further request headers, encrypted."
    )
    event_types = ArrayField(
        models.CharField(max_length=255),
        default=list,
        db_default=[],
        blank=True,
        help_text="Filters, such as order-*; empty: everything.",
    )
    retry_seconds = ArrayField(
        models.IntegerField(), null=True, blank=True, help_text="Its own retry schedule; null: the channel's."
    )
    state = models.CharField(max_length=16, choices=State, default=State.ENABLED)
    disabled_reason = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            # Routing asks for all enabled endpoints of many recipients at once.
            models.Index(fields=["recipient", "channel"], name="endpoint_of_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.url}"

    @property
    def public_id(self) -> str:
        return ids.encode("end", self.id)


class Topic(models.Model):
    """A named group of recipients; made by PUT or by its first subscription."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="topics")
    key = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="topic_key")]

    def __str__(self) -> str:
        return self.key


class Subscription(models.Model):
    """One recipient's membership in one topic. Routing walks them in order of `recipient_id`, in chunks."""

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="subscriptions")
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="subscriptions")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            # Also the index that the chunked expansion walks.
            models.UniqueConstraint(fields=["topic", "recipient"], name="subscription_once"),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id} in {self.topic_id}"


register_sealed("notifications.Endpoint", "sealed_secret")
register_sealed("notifications.Endpoint", "sealed_old_secret")
register_sealed("notifications.Endpoint", "sealed_headers")

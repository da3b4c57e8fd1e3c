"""The in-app side: each recipient's inbox, its messages, and the ordered log of every change."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from notifications import ids
from notifications.models.people import Recipient
from notifications.models.projects import Project


class Inbox(models.Model):
    """The head of one recipient's log: the last offset given out and the counts that belong to it.

    Kept apart from `Recipient` because it changes with every message and must stay a narrow row. Whoever changes an
    inbox updates this row first, in the same transaction: the row lock gives offsets without gaps, in commit order.
    Every door reads this row anyway, so it also says which tokens still open it.
    """

    recipient = models.OneToOneField(Recipient, on_delete=models.CASCADE, primary_key=True, related_name="inbox")
    epoch = models.UUIDField(help_text="Changes when history can't be trusted any more, such as after a restore.")
    offset = models.BigIntegerField(default=0)
    kept_from = models.BigIntegerField(
        db_default=1, default=1, help_text="The first change that the log still has, or will have."
    )
    unread = models.IntegerField(default=0)
    unseen = models.IntegerField(default=0)
    tokens_valid_from = models.DateTimeField(
        null=True, blank=True, help_text="Tokens issued before are refused; null: none was ever revoked."
    )
    last_seen_at = models.DateTimeField(
        null=True, blank=True, help_text="Minutes behind while connected; null: never connected."
    )

    class Meta:
        verbose_name_plural = "inboxes"

    def __str__(self) -> str:
        return f"{self.recipient_id} at {self.offset}"


class InboxMessage(models.Model):
    """One in-app message; made by the `in_app` channel, exactly one per delivery.

        in the inbox ──deleted by its recipient──────────────> gone (`message.deleted`)
                     ──`expires_at`, or retention, is past──> gone (`message.expired`)

    What is gone keeps its row, emptied of everything it said, until the log has forgotten it: so a client that was away is
    told, and the delivery can't make a second one.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="messages", db_index=False)
    delivery_id = models.UUIDField(help_text="The delivery that made it.")
    notification_id = models.UUIDField(
        null=True, blank=True, help_text="What is acknowledged with it; null: made by an early release."
    )
    offset = models.BigIntegerField(help_text="Of the change that created it.")
    title = models.TextField()
    body = models.TextField()
    action_url = models.CharField(max_length=2048, null=True, blank=True)
    category = models.CharField(max_length=255, null=True, blank=True)
    actor = models.CharField(max_length=255, null=True, blank=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When it leaves the inbox; null: by retention.")
    gone_at = models.DateTimeField(null=True, blank=True, help_text="Null: still there.")
    gone_as = models.CharField(max_length=32, null=True, blank=True, help_text="message.deleted or message.expired.")

    class Meta:
        constraints = [
            # Guarantee 2: one in-app message per delivery, ever, whatever is repeated.
            models.UniqueConstraint(fields=["delivery_id"], name="inbox_message_once"),
            models.CheckConstraint(
                name="inbox_message_gone_as",
                condition=Q(gone_at__isnull=True, gone_as__isnull=True)
                | Q(gone_at__isnull=False, gone_as__in=["message.deleted", "message.expired"]),
            ),
        ]
        indexes = [
            models.Index(fields=["recipient", "-offset"], name="inbox_message_newest"),
            models.Index(fields=["recipient"], name="inbox_message_unread", condition=Q(read_at__isnull=True)),
            # How the traces of an erased person are found in other people's inboxes.
            models.Index(fields=["project", "actor"], name="inbox_message_of_actor", condition=Q(actor__isnull=False)),
            # What the clock takes out of inboxes; most messages have no such time.
            models.Index(
                fields=["expires_at"],
                name="inbox_message_expiring",
                condition=Q(expires_at__isnull=False, gone_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode("msg", self.id)


class InboxEvent(models.Model):
    """One change of one inbox. What a client that was away reads from its last offset on."""

    class Kind(models.TextChoices):
        CREATED = "message.created"
        UPDATED = "message.updated"
        DELETED = "message.deleted"
        EXPIRED = "message.expired"

    id = models.BigAutoField(primary_key=True)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="+", db_index=False)
    offset = models.BigIntegerField()
    kind = models.CharField(max_length=32, choices=Kind)
    message = models.ForeignKey(InboxMessage, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # The order of the log, and the index that a replay walks.
            models.UniqueConstraint(fields=["recipient", "offset"], name="inbox_event_order"),
            models.CheckConstraint(name="inbox_event_offset_positive", condition=Q(offset__gt=0)),
        ]
        ordering = [F("offset").asc()]

    def __str__(self) -> str:
        return f"{self.kind} at {self.offset}"

"""Deliveries and their attempts: the rows that the stages hand over and the record of everything tried."""

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Now

from delivery.states import OPEN, State
from notifications import ids
from notifications.models import Endpoint, Notification, Project, Recipient

_NO_ENDPOINT = Value("00000000-0000-0000-0000-000000000000", output_field=models.UUIDField())


class Delivery(models.Model):
    """One notification on its way to one recipient over one channel, to one endpoint. Inserted by routing.

        scheduled ──due──┐
        queued ──claim──> sending ──Receipt──────────> sent ──confirmed──> delivered
                                                          └──bounced later──> failed
           ^                 ├──TemporaryFailure──> retrying ──due, claim──> sending
           │                 ├──PermanentFailure, retries used up, poison──> failed
           └─lease ran out───┘
        failed, expired, cancelled, and sent when asked for: ──replay──> queued
        before a claim also: ──> cancelled | expired | suppressed
        inserted as such: scheduled (quiet hours, a cap), failed, suppressed, digested (went out in the delivery of its digest)

    `available_at` is when the row may (again) be claimed: now, a retry's time, or the end of a lease; null exactly in
    terminal states. `lease_token` fences: a finish that does not carry the current token changes nothing. `decision` also says
    what it had to wait for when it was inserted, `{waits_for, until}`: explaining needs that after it was sent. No foreign key
    constraints: rows are bulk inserted by one writer that has just read what they point to, and each check would
    cost a locking read per row.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False, db_index=False
    )
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False)
    channel = models.CharField(max_length=40)
    endpoint = models.ForeignKey(
        Endpoint,
        # History keeps the name of an endpoint that is gone; nulling it would also make two deliveries one (`delivery_once`).
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="deliveries",
        db_constraint=False,
        db_index=False,
    )
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in State])
    reason = models.CharField(max_length=64, db_default="", blank=True)
    critical = models.BooleanField(db_default=False, help_text="Goes before everything that is not.")
    step = models.CharField(
        max_length=80,
        null=True,
        blank=True,
        help_text="Of its workflow, with the round of one that repeats; null: none.",
    )
    digest_id = models.UUIDField(null=True, blank=True, help_text="The digest it carries, or went out in.")
    decision = models.JSONField(
        null=True, blank=True, help_text="Whose preference decided: {level, overruled}; null: nobody said anything."
    )
    attempt_count = models.IntegerField(db_default=0, help_text="Rows in attempts.")
    retry_step = models.SmallIntegerField(db_default=0, help_text="How far along the retry schedule.")
    claims = models.SmallIntegerField(db_default=0, help_text="Claims since the last recorded outcome.")
    available_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    replayed_at = models.DateTimeField(
        null=True, blank=True, help_text="Last put back in the queue by a person; null: never."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                "notification",
                "recipient",
                "channel",
                Coalesce("endpoint", _NO_ENDPOINT),
                Coalesce("step", models.Value("")),
                name="delivery_once",
            ),
            # The conservation law: open rows have a time to be looked at, closed ones an end and a reason.
            models.CheckConstraint(
                name="delivery_open_or_finished",
                condition=Q(state__in=sorted(OPEN), available_at__isnull=False, finished_at__isnull=True)
                | (
                    ~Q(state__in=sorted(OPEN)) & Q(available_at__isnull=True, finished_at__isnull=False) & ~Q(reason="")
                ),
            ),
        ]
        indexes = [
            # What sending claims from, project by project; open rows only.
            models.Index(
                fields=["channel", "critical", "project", "available_at"],
                name="delivery_due_of_project",
                condition=Q(available_at__isnull=False),
            ),
            models.Index(fields=["project", "-id"], name="delivery_of_project"),
            # The log of one endpoint, and its replay; other channels' rows are not in it.
            models.Index(fields=["endpoint", "-id"], name="delivery_of_endpoint", condition=Q(endpoint__isnull=False)),
            models.Index(fields=["digest_id"], name="delivery_of_digest", condition=Q(digest_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode("dlv", self.id)


class Attempt(models.Model):
    """One try of a delivery. Its id is the claim's lease token; written before the network is touched, completed after.

    Append-only: an attempt without an outcome belongs to a process that died, or to one still at work.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts", db_constraint=False)
    number = models.IntegerField()
    started_at = models.DateTimeField(db_default=Now())
    duration_ms = models.IntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=64, null=True, blank=True)
    applied = models.BooleanField(db_default=True, help_text="False: came after the lease had passed to another.")
    request = models.JSONField(
        null=True, blank=True, help_text="What is worth keeping of what was asked; null: nothing, or unknown."
    )
    response = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"attempt {self.number}"

    @property
    def public_id(self) -> str:
        return ids.encode("att", self.id)

"""What is known about endpoints in trouble, and how fast may be sent."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications import ids
from notifications.models import Endpoint, Project


class EndpointTrouble(models.Model):
    """One endpoint that has failed since it last succeeded; a success removes the row. Written with attempts' outcomes.

        closed (`held_until` null) ──circuit breaker opens──> open (held_until ahead) ──time──> half open (behind)
                                                                ^──probe fails, waits longer──┘

    Healthy endpoints have no row, so that claims and finishes cost them nothing. No foreign key constraint: an outcome
    may come after its endpoint was removed, and must not fail for that.
    """

    endpoint = models.OneToOneField(
        Endpoint, primary_key=True, on_delete=models.CASCADE, related_name="trouble", db_constraint=False
    )
    failing_since = models.DateTimeField(db_default=Now())
    last_failed_at = models.DateTimeField(db_default=Now())
    failures = models.IntegerField(db_default=0, help_text="Failed attempts since then.")
    trips = models.SmallIntegerField(db_default=0, help_text="How often the circuit opened in a row.")
    held_until = models.DateTimeField(null=True, blank=True, help_text="Nothing is sent before; then one probe is.")

    class Meta:
        verbose_name_plural = "endpoints in trouble"

    def __str__(self) -> str:
        return f"{self.endpoint_id}: {self.failures} failures"


class SendLimit(models.Model):
    """So many sends per second, of one project or of all together, over one channel. Made by operators; none by default.

    Two clocks of the generic cell rate algorithm, in the row so that all processes share them: `spent_until` is when
    everything sent so far will have been paid for, `planned_until` the same for what was put off.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: all together."
    )
    channel = models.CharField(max_length=40)
    per_second = models.FloatField(help_text="Sends per second; may be below one.")
    spent_until = models.DateTimeField(null=True, blank=True, editable=False)
    planned_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "channel"], name="send_limit_of_project"),
            models.UniqueConstraint(fields=["channel"], condition=Q(project__isnull=True), name="send_limit_of_all"),
            models.CheckConstraint(condition=Q(per_second__gte=0.001), name="send_limit_per_second"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.per_second:g} per second"

"""What the platform knows about itself: which of its processes are alive, and whether its laws hold."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from notifications import ids


class Heartbeat(models.Model):
    """One process at work. It writes its row every few seconds and deletes it when it stops as it should.

    A row that was not written for a while belongs to a process that died, hangs or cannot reach the database; whoever is alive
    notes the moment (`missed_at`), and forgets the row an hour later.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_uuid, editable=False)
    role = models.CharField(max_length=16, help_text="web, worker or beat.")
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    version = models.CharField(max_length=64)
    started_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    missed_at = models.DateTimeField(null=True, blank=True, help_text="When others noticed its silence.")

    def __str__(self) -> str:
        return f"{self.role} {self.pid} on {self.host}"


class LawCheck(models.Model):
    """The last look at one law of `delivery.laws`; a row per law, written by the periodic inspection."""

    law = models.CharField(primary_key=True, max_length=64)
    broken = models.IntegerField(help_text="How many of the recent rows break it.")
    examples = ArrayField(models.TextField(), default=list, help_text="Some of their ids.")
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.law

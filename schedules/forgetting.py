"""What is thrown away when its time is over."""

from django.db.models.functions import Now

from schedules.models import SlotLog


def forget_slots() -> int:
    """Drop the logs of places that say nothing any more; how many there were."""
    return SlotLog.objects.filter(expires_at__lt=Now()).delete()[0]

"""What is thrown away by age."""

from datetime import timedelta

from django.db.models.functions import Now

from notifications.conf import conf
from notifications.models import IdempotencyKey


def forget_expired_keys() -> int:
    """Delete idempotency keys older than their promise; how many."""
    limit = Now() - timedelta(hours=conf().idempotency_keep_hours)
    return IdempotencyKey.objects.filter(created_at__lt=limit).delete()[0]

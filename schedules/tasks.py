"""Celery tasks of the clock."""

from celery import shared_task

from notifications.forgetting import forget_expired_keys
from notifications.services.endpoints import forget_old_secrets
from schedules.beat import remove_orphans
from schedules.forgetting import forget_slots
from schedules.periodic import FORGET_TASK
from schedules.services import forget_old_runs


@shared_task(name=FORGET_TASK)
def forget() -> None:
    """Drop what is past its time."""
    forget_expired_keys()
    forget_old_secrets()
    forget_slots()
    forget_old_runs()
    remove_orphans()

"""Celery tasks of the clock."""

from celery import shared_task

from notifications.forgetting import forget_expired_keys
from schedules.periodic import FORGET_TASK


@shared_task(name=FORGET_TASK)
def forget() -> None:
    """Drop what is past its time."""
    forget_expired_keys()

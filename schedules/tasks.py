"""Celery tasks of the clock."""

from typing import Final

from celery import shared_task

from notifications.forgetting import forget_expired_keys

FORGET_TASK: Final = "schedules.forget"


@shared_task(name=FORGET_TASK)
def forget() -> None:
    """Drop what is past its time."""
    forget_expired_keys()

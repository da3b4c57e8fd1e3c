"""One Celery task per notification. No worker runs while accepting is measured."""

from celery import Celery
from django.conf import settings

app = Celery("ordinary", broker=settings.CELERY_BROKER_URL)


@app.task(ignore_result=True)
def deliver(notification_id: str) -> None:
    """What a worker would be told to deliver."""

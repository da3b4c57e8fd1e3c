"""What happens by the clock."""

import pytest

from deploy.celery_app import app
from notifications.models import IdempotencyKey, Project
from schedules.periodic import BEAT_SCHEDULE
from schedules.tasks import forget


def test_every_entry_names_a_task_that_exists_and_does_not_pile_up() -> None:
    app.loader.import_default_modules()
    for name, entry in BEAT_SCHEDULE.items():
        assert entry["task"] in app.tasks, name
        # While no worker is there, at most one message of each entry waits.
        assert 0 < entry["options"]["expires"] <= entry["schedule"], name


@pytest.mark.django_db
def test_forgetting_drops_old_idempotency_keys_and_keeps_the_others() -> None:
    project = Project.objects.create(name="tests")
    for key in ("old", "fresh"):
        IdempotencyKey.objects.create(project=project, key=key, fingerprint="f", status=202, response="{}")
    with_age = "UPDATE notifications_idempotencykey SET created_at = now() - interval '25 hours' WHERE key = 'old'"
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(with_age)
    forget()
    forget()
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["fresh"]

"""A message knows its notification, so that both are acknowledged together; who did it is found when erased."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("notifications", "0017_inbox_erasing"),
    ]

    operations = [
        migrations.AddField(
            model_name="inboxmessage",
            name="notification_id",
            field=models.UUIDField(blank=True, help_text="What is acknowledged with it; null: made by an early release.", null=True),
        ),
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(condition=Q(acknowledged_by__isnull=False), fields=["project", "acknowledged_by"], name="notification_acknowledged_by"),
        ),
    ]

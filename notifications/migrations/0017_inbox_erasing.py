"""The indexes by which an erased person's name is found in what belongs to others as well."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("notifications", "0016_inbox_leaving"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(condition=Q(actor__isnull=False), fields=["project", "actor"], name="notification_of_actor"),
        ),
        AddIndexConcurrently(
            model_name="notification",
            index=GinIndex(condition=Q(status__in=["cancelled", "expired", "failed"]), fields=["recipients"], name="notification_unrouted_to"),
        ),
        AddIndexConcurrently(
            model_name="inboxmessage",
            index=models.Index(condition=Q(actor__isnull=False), fields=["project", "actor"], name="inbox_message_of_actor"),
        ),
    ]

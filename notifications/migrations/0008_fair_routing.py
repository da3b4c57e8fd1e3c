"""The index that routing's claims walk by project."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("notifications", "0007_contact_email"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('available_at__isnull', False)), fields=['critical', 'project', 'available_at'], name='notification_due_of_project'),
        ),
        RemoveIndexConcurrently(
            model_name='notification',
            name='notification_due',
        ),
    ]

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Built beside the running work: the table may be large."""

    atomic = False

    dependencies = [
        ("delivery", "0003_attempt_request"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(('endpoint__isnull', False)), fields=['endpoint', '-id'], name='delivery_of_endpoint'),
        ),
    ]

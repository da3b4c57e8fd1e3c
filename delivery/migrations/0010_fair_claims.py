"""The index that claims walk by project, and vacuum in time for it: every claim and finish leaves an entry behind."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("delivery", "0009_isolation"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='delivery',
            index=models.Index(condition=models.Q(('available_at__isnull', False)), fields=['channel', 'critical', 'project', 'available_at'], name='delivery_due_of_project'),
        ),
        RemoveIndexConcurrently(
            model_name='delivery',
            name='delivery_due',
        ),
        migrations.RunSQL(
            """ALTER TABLE delivery_delivery SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
                   autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)""",
            "ALTER TABLE delivery_delivery RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_analyze_scale_factor, autovacuum_vacuum_cost_delay)",
        ),
    ]

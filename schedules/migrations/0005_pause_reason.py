"""A schedule that paused by itself says why."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("schedules", "0004_audit_log"),
    ]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="pause_reason",
            field=models.CharField(
                blank=True,
                choices=[("recipient_erased", "Recipient Erased")],
                db_default="",
                help_text="Why it paused by itself; empty: somebody paused it, or it is not paused.",
                max_length=32,
            ),
        ),
    ]

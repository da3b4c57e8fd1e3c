"""A notification may say itself what becomes of it in quiet hours."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0019_audit_log"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="quiet_hours",
            field=models.CharField(
                blank=True,
                choices=[("defer", "Defer"), ("drop", "Drop"), ("break_through", "Break Through")],
                help_text="What becomes of it in quiet hours; null: as the recipient, the project or its workflow's steps say.",
                max_length=16,
                null=True,
            ),
        ),
    ]

"""Changes of schedules are written into the audit log; that time goes on is not."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("schedules", "0003_digests"),
        ("notifications", "0019_audit_log"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON schedules_schedule FOR EACH ROW"
            " EXECUTE FUNCTION carillon_audit('next_at', 'updated_at')",
            "DROP TRIGGER audit ON schedules_schedule",
        ),
    ]

"""That a run was asked for is in the audit log; that it was made then is no change by anybody."""

from django.db import migrations

BEFORE = """
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON schedules_schedule
    FOR EACH ROW EXECUTE FUNCTION carillon_audit('next_at', 'updated_at');
"""
NOW = """
DROP TRIGGER audit ON schedules_schedule;
CREATE TRIGGER audit AFTER INSERT OR DELETE ON schedules_schedule
    FOR EACH ROW EXECUTE FUNCTION carillon_audit('next_at', 'updated_at');
CREATE TRIGGER audit_changed AFTER UPDATE ON schedules_schedule
    FOR EACH ROW WHEN (OLD.asked_at IS NULL OR NEW.asked_at IS NOT NULL)
    EXECUTE FUNCTION carillon_audit('next_at', 'updated_at');
CREATE TRIGGER audit_made AFTER UPDATE ON schedules_schedule
    FOR EACH ROW WHEN (OLD.asked_at IS NOT NULL AND NEW.asked_at IS NULL)
    EXECUTE FUNCTION carillon_audit('next_at', 'updated_at', 'asked_at');
"""


class Migration(migrations.Migration):

    dependencies = [
        ("schedules", "0005_pause_reason"),
    ]

    operations = [
        migrations.RunSQL(
            NOW,
            "DROP TRIGGER audit ON schedules_schedule; DROP TRIGGER audit_changed ON schedules_schedule;"
            f" DROP TRIGGER audit_made ON schedules_schedule; {BEFORE}",
        ),
    ]

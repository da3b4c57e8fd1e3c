"""Changes of what deliveries go by are written into the audit log; how it fares with them is not."""

from django.db import migrations

TABLES = {
    "delivery_provider": ("state", "reason", "paused_until", "consecutive_failures", "last_success_at", "last_failure_at", "health_version"),
    "delivery_sendlimit": ("spent_until", "planned_until"),
    "delivery_dkimkey": (),
    "delivery_eventendpoint": (),
    "delivery_callbacksource": (),
}


def _trigger(table, unheeded):
    names = ", ".join(f"'{name}'" for name in unheeded)
    return (
        f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION carillon_audit({names});"
    )


class Migration(migrations.Migration):

    dependencies = [
        ("delivery", "0011_runs"),
        ("notifications", "0019_audit_log"),
    ]

    operations = [
        migrations.RunSQL(
            "".join(_trigger(table, unheeded) for table, unheeded in TABLES.items()),
            "".join(f"DROP TRIGGER audit ON {table};" for table in TABLES),
        ),
    ]

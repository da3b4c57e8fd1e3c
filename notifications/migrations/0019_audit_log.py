"""The audit log, its triggers on the tables of projects, and what keeps it append-only."""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

# The arguments of the trigger are columns whose change is no news.
FUNCTION = """
CREATE FUNCTION carillon_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    row_now jsonb := coalesce(new_row, old_row);
    names text[];
BEGIN
    SELECT array_agg(key ORDER BY key) INTO names FROM jsonb_each(row_now)
     WHERE (old_row IS NULL OR new_row IS NULL OR old_row -> key IS DISTINCT FROM new_row -> key)
       AND NOT key = ANY (coalesce(TG_ARGV, '{}'));
    IF names IS NOT NULL THEN
        INSERT INTO notifications_auditentry (actor, action, subject, subject_id, project_id, changed)
        VALUES (left(coalesce(current_setting('carillon.actor', true), ''), 200), lower(TG_OP), TG_TABLE_NAME,
                coalesce(row_now ->> 'id', row_now ->> 'project_id'),
                CASE TG_TABLE_NAME WHEN 'notifications_project' THEN row_now ->> 'id' ELSE row_now ->> 'project_id' END::uuid,
                names);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION carillon_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notifications_auditentry
    FOR EACH ROW EXECUTE FUNCTION carillon_append_only();
"""
TABLES = ("notifications_project", "notifications_apikey", "notifications_projectsettings")
TRIGGERS = "".join(
    f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION carillon_audit('updated_at');"
    for table in TABLES
)


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0018_inbox_acknowledging"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor", models.CharField(db_default="", help_text="An API key or a user. Empty: Carillon itself.", max_length=200)),
                ("action", models.CharField(choices=[("insert", "made"), ("update", "changed"), ("delete", "removed")], max_length=6)),
                ("subject", models.CharField(help_text="The table.", max_length=63)),
                ("subject_id", models.CharField(max_length=64)),
                ("project_id", models.UUIDField(help_text="Empty: the installation.", null=True)),
                (
                    "changed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=63), help_text="Names of columns.", size=None
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "indexes": [models.Index(fields=["project_id", "-id"], name="audit_of_project")],
            },
        ),
        migrations.RunSQL(
            FUNCTION + TRIGGERS,
            "".join(f"DROP TRIGGER audit ON {table};" for table in TABLES)
            + "DROP TRIGGER append_only ON notifications_auditentry; DROP FUNCTION carillon_append_only; DROP FUNCTION carillon_audit",
        ),
    ]

"""Workflows, templates, endpoints and suppressions are in the audit log as well."""

from django.db import migrations

# Of a workflow's versions only drafts are news: publishing one changes the workflow itself. They know their project by it.
FUNCTION = """
CREATE OR REPLACE FUNCTION carillon_audit() RETURNS trigger LANGUAGE plpgsql AS $$
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
                CASE TG_TABLE_NAME
                    WHEN 'notifications_project' THEN (row_now ->> 'id')::uuid
                    WHEN 'notifications_workflowversion' THEN
                        (SELECT project_id FROM notifications_workflow WHERE id = (row_now ->> 'workflow_id')::uuid)
                    ELSE (row_now ->> 'project_id')::uuid END,
                names);
    END IF;
    RETURN NULL;
END $$;
"""
# By table: what changes by the clock, and is no news. A rotation changes `sealed_secret` as well.
TABLES = {
    "notifications_workflow": "",
    "notifications_template": "'updated_at'",
    "notifications_endpoint": "'sealed_old_secret', 'old_secret_until'",
    "notifications_suppression": "",
}
TRIGGERS = "".join(
    f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION carillon_audit({unheeded});"
    for table, unheeded in TABLES.items()
)
DRAFTS = """
CREATE TRIGGER audit AFTER INSERT ON notifications_workflowversion
    FOR EACH ROW WHEN (NEW.state = 'draft') EXECUTE FUNCTION carillon_audit();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0020_quiet_hours"),
    ]

    operations = [
        migrations.RunSQL(
            FUNCTION + TRIGGERS + DRAFTS,
            "".join(f"DROP TRIGGER audit ON {table};" for table in (*TABLES, "notifications_workflowversion")),
        ),
    ]

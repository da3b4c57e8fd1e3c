"""Unsubscriptions become what they are: preferences of their recipients."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

FORWARD = """
    INSERT INTO notifications_recipientpreferences (recipient_id, project_id, settings, source, updated_at)
    SELECT recipient_id, project_id, jsonb_build_object('categories', jsonb_object_agg(category, channels)),
           (array_agg(source ORDER BY at DESC))[1], max(at)
      FROM (SELECT u.recipient_id, r.project_id, u.category, jsonb_object_agg(u.channel, false) AS channels,
                   (array_agg(u.source ORDER BY u.created_at DESC))[1] AS source, max(u.created_at) AS at
              FROM notifications_unsubscription u JOIN notifications_recipient r ON r.id = u.recipient_id
             GROUP BY u.recipient_id, r.project_id, u.category) AS said
     GROUP BY recipient_id, project_id"""
BACKWARD = """
    INSERT INTO notifications_unsubscription (id, project_id, recipient_id, channel, category, source, created_at)
    SELECT gen_random_uuid(), p.project_id, p.recipient_id, switch.key, category.key,
           CASE p.source WHEN 'one_click' THEN 'one_click' ELSE 'page' END, p.updated_at
      FROM notifications_recipientpreferences p
     CROSS JOIN jsonb_each(coalesce(p.settings -> 'categories', '{}')) AS category
     CROSS JOIN jsonb_each(CASE jsonb_typeof(category.value) WHEN 'object' THEN category.value ELSE '{}' END) AS switch
     WHERE switch.value = 'false'"""


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0013_workflows'),
    ]

    operations = [
        migrations.CreateModel(
            name='RecipientPreferences',
            fields=[
                ('recipient', models.OneToOneField(editable=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='preferences', serialize=False, to='notifications.recipient')),
                ('settings', models.JSONField(default=dict, help_text='See notifications/preferences/parsing.py.')),
                ('source', models.CharField(choices=[('api', 'API'), ('page', 'page of the recipient'), ('one_click', 'one click in the mail program (RFC 8058)'), ('admin', 'admin')], db_default='api', help_text='Of the last change.', max_length=16)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('project', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='notifications.project')),
            ],
            options={
                'verbose_name_plural': "recipients' preferences",
                'indexes': [models.Index(fields=['project', '-recipient'], name='preferences_of_project')],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.DeleteModel(name='Unsubscription'),
    ]

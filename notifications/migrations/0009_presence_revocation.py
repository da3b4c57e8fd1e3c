"""Inboxes know since when tokens open them, and when their recipient was last connected."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0008_fair_routing'),
    ]

    operations = [
        migrations.AddField(
            model_name='inbox',
            name='last_seen_at',
            field=models.DateTimeField(blank=True, help_text='Minutes behind while connected; null: never connected.', null=True),
        ),
        migrations.AddField(
            model_name='inbox',
            name='tokens_valid_from',
            field=models.DateTimeField(blank=True, help_text='Tokens issued before are refused; null: none was ever revoked.', null=True),
        ),
    ]

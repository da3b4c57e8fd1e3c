"""Messages can be acknowledged and leave the inbox; the log knows from where on it is whole."""

from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

_GONE_AS = models.CheckConstraint(
    name="inbox_message_gone_as",
    condition=Q(gone_at__isnull=True, gone_as__isnull=True)
    | Q(gone_at__isnull=False, gone_as__in=["message.deleted", "message.expired"]),
)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("notifications", "0015_acknowledgement"),
    ]

    operations = [
        migrations.AddField(
            model_name="inbox",
            name="kept_from",
            field=models.BigIntegerField(db_default=1, default=1, help_text="The first change that the log still has, or will have."),
        ),
        migrations.AddField(
            model_name="inboxmessage",
            name="acknowledged_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="inboxmessage",
            name="expires_at",
            field=models.DateTimeField(blank=True, help_text="When it leaves the inbox; null: by retention.", null=True),
        ),
        migrations.AddField(
            model_name="inboxmessage",
            name="gone_at",
            field=models.DateTimeField(blank=True, help_text="Null: still there.", null=True),
        ),
        migrations.AddField(
            model_name="inboxmessage",
            name="gone_as",
            field=models.CharField(blank=True, help_text="message.deleted or message.expired.", max_length=32, null=True),
        ),
        migrations.AlterField(
            model_name="inboxevent",
            name="kind",
            field=models.CharField(choices=[("message.created", "Created"), ("message.updated", "Updated"), ("message.deleted", "Deleted"), ("message.expired", "Expired")], max_length=32),
        ),
        AddConstraintNotValid(model_name="inboxmessage", constraint=_GONE_AS),
        ValidateConstraint(model_name="inboxmessage", name="inbox_message_gone_as"),
        AddIndexConcurrently(
            model_name="inboxmessage",
            index=models.Index(condition=Q(expires_at__isnull=False, gone_at__isnull=True), fields=["expires_at"], name="inbox_message_expiring"),
        ),
    ]

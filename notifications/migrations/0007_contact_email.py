from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("notifications", "0006_sealing_canary"),
    ]

    operations = [
        migrations.AddField(
            model_name='project',
            name='contact_email',
            field=models.CharField(blank=True, help_text='Who is told when something needs a person, such as an endpoint that was disabled. Empty: nobody.', max_length=320, null=True),
        ),
    ]

"""Templates, their versions and previews as they come in and go out."""

from typing import Any

from rest_framework import serializers

from api.fields import FreeObject, Text, Time
from api.serializers.submissions import AcceptedOut
from api.serializing import In
from notifications import texts
from notifications.models import Template

_VARIANTS_HELP = (
    "A template: `{channel: {locale: fields}}`; the channel `default` is for channels that have no own entry, the locale "
    "`default` is required. Fields are `title`, `body` (Markdown) and `action_url`; an email also has `subject`, `html` in place of "
    "`body`, and `layout`, the key of a layout. A layout: `{locale: {html}}` that shows `{{ content }}`. A partial: `{locale: {text}}`, "
    'used by `{% render "key", name: value %}`.'
)


class TemplateIn(In):
    """What a template says. A change becomes its next version, in use at once."""

    kind = serializers.ChoiceField(choices=Template.Kind.choices, required=False, default="template")
    name = Text(check=texts.check_line, max_length=255, required=False, allow_blank=True, default="")
    variants = FreeObject(help_text=_VARIANTS_HELP)


class TemplateOut(serializers.Serializer[Any]):
    """A template, and which version is in use."""

    key = serializers.CharField()
    kind = serializers.ChoiceField(choices=Template.Kind.choices)
    name = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField(source="published.number", help_text="The number of the version in use.")
    created_at = Time()
    updated_at = Time()


class TemplateDetailOut(TemplateOut):
    """A template with what it says now."""

    variants = serializers.DictField(source="published.variants")


class TemplateVersionOut(serializers.Serializer[Any]):
    """What a template said from some time on."""

    number = serializers.IntegerField()
    references = serializers.ListField(
        child=serializers.CharField(), help_text="Keys of the layouts and partials that it uses."
    )
    variants = serializers.DictField()
    created_at = Time()


class SampleIn(In):
    """For whom a template is rendered, and what happened."""

    channel = Text(max_length=64)
    locale = Text(check=texts.check_locale, max_length=35, required=False, allow_null=True)
    timezone = Text(check=texts.check_timezone, max_length=64, required=False, allow_null=True)
    data = FreeObject(required=False)  # type: ignore[assignment]  # a field, not the property
    recipient = FreeObject(required=False, help_text="`id`, `name`, `email`, `phone`, `data`.")
    actor = FreeObject(required=False, allow_null=True)
    items = serializers.ListField(
        required=False, max_length=1000, help_text="What a digest holds: `{data, actor}` each."
    )


class InlineSampleIn(SampleIn):
    """A template that need not be stored, and a sample to render it with."""

    template = FreeObject(help_text="The fields of one variant, or `{locales: {locale: fields}}`.")


class TestSendIn(SampleIn):
    """A sample that is sent for real."""

    to = serializers.JSONField(help_text="A recipient's id, or a recipient in line, as in a notification.")


class PreviewOut(serializers.Serializer[Any]):
    """What would be said."""

    title = serializers.CharField(allow_blank=True)
    body = serializers.CharField(allow_blank=True, help_text="Markdown.")
    action_url = serializers.CharField(allow_null=True)
    subject = serializers.CharField(allow_null=True, help_text="Email: its subject.")
    html = serializers.CharField(allow_null=True, help_text="Email: the whole page as it would be sent.")
    text = serializers.CharField(allow_null=True, help_text="Email: its text alternative.")
    locale = serializers.CharField(help_text="Of the variant that was chosen.")
    undefined = serializers.ListField(
        child=serializers.CharField(), help_text="Variables that are shown though the sample does not have them."
    )


class TestSentOut(AcceptedOut):
    """It is on its way; follow it as the notification that it is."""

"""Callback sources and what they report."""

from typing import Any

from rest_framework import serializers

from api.fields import PublicId, Text, Time
from api.serializing import In
from delivery.feedback.kinds import Kind, is_status
from notifications import texts

MOST_EVENTS = 100


class CallbackIn(In):
    """A new source of reports."""

    name = Text(check=texts.check_line, max_length=200, help_text="For people, such as the provider's name.")


class CallbackOut(serializers.Serializer[Any]):
    """Who may report what became of this project's mail."""

    id = PublicId("cbk")
    name = serializers.CharField()
    created_at = Time()


class CallbackMadeOut(CallbackOut):
    """A new source with its secret, which is never shown again."""

    secret = serializers.CharField(help_text="Standard Webhooks: `whsec_` and base64.")


def _check_status(value: str) -> str:
    if not is_status(value):
        raise ValueError("Not an enhanced status code such as 5.1.1 (RFC 3463).")
    return value


class CallbackEventIn(In):
    """One thing that happened to one mail; named by `delivery_id` or by the mail's `message_id`."""

    id = Text(
        check=texts.check_line, max_length=200, help_text="The provider's id of the event; told twice it counts once."
    )
    type = serializers.ChoiceField(
        choices=[kind.value for kind in Kind], help_text="A bounce is final; what is only late is deferred."
    )
    delivery_id = Text(max_length=64, required=False)
    message_id = Text(check=texts.check_line, max_length=998, required=False, help_text="`<dlv_...@domain>`")
    address = Text(check=texts.check_line, max_length=320, required=False, help_text="Whom it is about.")
    status = Text(
        check=_check_status,
        max_length=12,
        required=False,
        help_text="RFC 3463. Of a bounce, 5.1.x suppresses the address; so does a bounce without a status.",
    )
    detail = Text(max_length=2000, required=False, allow_blank=True)
    occurred_at = Time(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("delivery_id" in attrs) is ("message_id" in attrs):
            raise serializers.ValidationError("Give either delivery_id or message_id.")
        return attrs


class CallbackEventsIn(In):
    """Reports, in the order in which they happened."""

    events = serializers.ListField(child=CallbackEventIn(), min_length=1, max_length=MOST_EVENTS)


class CallbackTakenOut(serializers.Serializer[Any]):
    """All were taken; which of them meant something here is not told."""

    received = serializers.IntegerField()

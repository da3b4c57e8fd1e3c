"""Endpoints as they come in and go out. The secret goes out once, when the endpoint is made."""

from typing import Any

from rest_framework import serializers

from api.fields import PublicId, Text, Time
from api.serializing import In
from notifications.models import Endpoint

CHANNELS = ["webhook"]


class EndpointIn(In):
    """A new endpoint."""

    channel = serializers.ChoiceField(choices=CHANNELS)
    url = Text(max_length=2048, help_text="http or https; must lead to a public address.")


class EndpointPatchIn(In):
    """What can be changed about an endpoint."""

    url = Text(max_length=2048, required=False)
    state = serializers.ChoiceField(
        choices=Endpoint.State.choices,
        required=False,
        help_text="An endpoint that was disabled, by you or by its receiver's 410, receives nothing until it is enabled.",
    )


class EndpointOut(serializers.Serializer[Any]):
    """One address of a recipient beyond email and phone."""

    id = PublicId("end")
    recipient = serializers.CharField(source="recipient.external_id", help_text="The recipient's id.")
    channel = serializers.CharField()
    url = serializers.CharField()
    state = serializers.ChoiceField(choices=Endpoint.State.choices)
    disabled_reason = serializers.SerializerMethodField()
    created_at = Time()

    def get_disabled_reason(self, endpoint: Endpoint) -> str | None:
        return endpoint.disabled_reason or None


class EndpointMadeOut(EndpointOut):
    """A new endpoint with its signing secret, which is never shown again."""

    secret = serializers.CharField(help_text="Standard Webhooks: `whsec_` and base64.")

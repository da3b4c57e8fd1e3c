"""Event endpoints as they come in and go out, and status events as they go out."""

from typing import Any

from rest_framework import serializers

from api.fields import PublicId, Text, Time
from api.serializing import In
from delivery.models import EventEndpoint, StatusDispatch, StatusEvent
from delivery.status_events.shapes import shown_data
from delivery.status_events.types import TYPES
from notifications import texts

_TYPES_HELP = "Which types to hear of; empty: all.\n\n" + "\n".join(
    f"- `{name}`: {said}" for name, said in TYPES.items()
)


class EventEndpointIn(In):
    """Where to post status events."""

    url = Text(max_length=2048, help_text="http or https; must lead to a public address.")
    types = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(TYPES)),
        max_length=len(TYPES),
        required=False,
        help_text=_TYPES_HELP,
    )
    description = Text(max_length=255, required=False, allow_blank=True, check=texts.check_line)
    state = serializers.ChoiceField(
        choices=EventEndpoint.State.choices,
        required=False,
        help_text="While it is disabled nothing is recorded for it. A 410 of its receiver disables it.",
    )


class EventEndpointOut(serializers.Serializer[Any]):
    """One address of yours that hears of status events."""

    key = serializers.CharField()
    url = serializers.CharField()
    types = serializers.ListField(child=serializers.ChoiceField(choices=sorted(TYPES)), help_text=_TYPES_HELP)
    description = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=EventEndpoint.State.choices)
    disabled_reason = serializers.SerializerMethodField()
    created_at = Time()

    def get_disabled_reason(self, endpoint: EventEndpoint) -> str | None:
        return endpoint.disabled_reason or None


class EventEndpointMadeOut(EventEndpointOut):
    """A new event endpoint with its signing secret, which is never shown again."""

    secret = serializers.CharField(help_text="Standard Webhooks: `whsec_` and base64.")


class DispatchOut(serializers.Serializer[Any]):
    """How the telling of one event to one endpoint goes."""

    endpoint = serializers.CharField(source="endpoint.key", help_text="The event endpoint's key.")
    state = serializers.ChoiceField(choices=StatusDispatch.State.choices)
    attempt_count = serializers.IntegerField()
    outcome = serializers.SerializerMethodField(help_text="Of the last attempt.")
    next_attempt_at = Time(source="available_at", allow_null=True)
    finished_at = Time(allow_null=True)

    def get_outcome(self, dispatch: StatusDispatch) -> str | None:
        return dispatch.outcome or None


class EventOut(serializers.Serializer[Any]):
    """Something that happened, as it was or will be posted to your endpoints."""

    id = PublicId("evt", help_text="Also the `webhook-id`, the same on every attempt.")
    type = serializers.ChoiceField(choices=sorted(TYPES))
    created_at = Time()
    data = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field, not the property
    dispatches = DispatchOut(many=True)

    def get_data(self, event: StatusEvent) -> dict[str, Any]:
        recipient = event.recipient.external_id if event.recipient is not None else None
        return shown_data(event.data, recipient=recipient)

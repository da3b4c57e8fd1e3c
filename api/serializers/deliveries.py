"""Deliveries and attempts as they go out, and the filter of a replay."""

from typing import Any

from rest_framework import serializers

from api.fields import FreeObject, PublicId, Text, Time
from api.serializing import In, shown
from delivery.feedback.kinds import Kind
from delivery.models import Attempt, Delivery, DeliveryEvent
from delivery.states import RETRYABLE, State
from notifications import ids, texts

WAITING = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING})


class DeliveryOut(serializers.Serializer[Any]):
    """One notification on its way to one recipient over one channel."""

    id = PublicId("dlv")
    notification_id = PublicId("ntf")
    recipient = serializers.CharField(source="recipient.external_id", help_text="The recipient's id.")
    channel = serializers.CharField()
    endpoint = serializers.SerializerMethodField(help_text="The endpoint's id; null for in-app messages and email.")
    state = serializers.ChoiceField(choices=[state.value for state in State])
    reason = serializers.SerializerMethodField(help_text="Why it is in this state, for machines.")
    attempt_count = serializers.IntegerField()
    next_attempt_at = serializers.SerializerMethodField()
    created_at = Time()
    finished_at = Time(allow_null=True)

    def get_endpoint(self, delivery: Delivery) -> str | None:
        return ids.encode("end", delivery.endpoint_id) if delivery.endpoint_id else None

    def get_reason(self, delivery: Delivery) -> str | None:
        return delivery.reason or None

    def get_next_attempt_at(self, delivery: Delivery) -> str | None:
        return texts.optional_time(delivery.available_at) if delivery.state in WAITING else None


class AttemptOut(serializers.Serializer[Any]):
    """One try. Without an outcome it is under way, or its process died."""

    number = serializers.IntegerField()
    started_at = Time()
    duration_ms = serializers.IntegerField(allow_null=True)
    outcome = serializers.CharField(allow_null=True)
    response = FreeObject(allow_null=True, help_text="What the other side answered.")


class DeliveryEventOut(serializers.Serializer[Any]):
    """What was reported about a mail after it was sent."""

    type = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    source = serializers.CharField(  # type: ignore[assignment]  # DRF takes fields out of the class
        help_text="`dsn` and `feedback_report` came by mail, `callback` from a provider."
    )
    status = serializers.SerializerMethodField(help_text="RFC 3463, such as 5.1.1.")
    detail = serializers.CharField(allow_blank=True)
    occurred_at = Time()

    def get_status(self, event: DeliveryEvent) -> str | None:
        return event.status or None


class DeliveryDetailOut(DeliveryOut):
    """One delivery with everything that was tried, and what was reported later."""

    attempts = serializers.SerializerMethodField()
    events = serializers.SerializerMethodField()

    def get_events(self, delivery: Delivery) -> list[dict[str, Any]]:
        events: list[DeliveryEvent] = list(delivery.events.all())
        return [shown(DeliveryEventOut, event) for event in events]

    def get_attempts(self, delivery: Delivery) -> list[dict[str, Any]]:
        attempts: list[Attempt] = list(delivery.attempts.all())
        return [shown(AttemptOut, attempt) for attempt in attempts]


class ReplayIn(In):
    """Which finished deliveries to send again; a state or a time is required, so that nobody replays everything."""

    state = serializers.ChoiceField(choices=sorted(state.value for state in RETRYABLE), required=False)
    channel = Text(max_length=40, required=False)
    recipient = Text(check=texts.check_external_id, max_length=255, required=False)
    since = Time(required=False, help_text="Created at or after this time.")
    until = Time(required=False, help_text="Created before this time.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"state", "since", "until"}:
            raise serializers.ValidationError("Give at least one of state, since and until.")
        return attrs


class ReplayedOut(serializers.Serializer[Any]):
    """What a replay put back in the queue."""

    count = serializers.IntegerField()

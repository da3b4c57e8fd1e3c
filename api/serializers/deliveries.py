"""Deliveries and attempts as they go out, and the filter of a replay."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import FreeObject, GivenId, PublicId, Text, Time, WholeNumber
from api.serializing import In, shown
from delivery.feedback.kinds import Kind
from delivery.models import Delivery, DeliveryEvent
from delivery.reasons import as_markdown
from delivery.replays import MOST
from delivery.requests import requests_of
from delivery.states import REPLAYABLE, RETRYABLE, State
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
    reason = serializers.SerializerMethodField(help_text=f"Why it is in this state, for machines.\n\n{as_markdown()}")
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
    request = FreeObject(
        allow_null=True,
        help_text="Of webhooks: method, URL, headers and body as sent. Values of query parameters and of the endpoint's own headers,"
        " and signatures, are masked; the body is null when it cannot be told any more, its hash never.",
    )
    response = FreeObject(
        allow_null=True, help_text="What the other side answered: status, some headers, and the first 4 KiB as text."
    )


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

    @extend_schema_field(DeliveryEventOut(many=True))
    def get_events(self, delivery: Delivery) -> list[dict[str, Any]]:
        events: list[DeliveryEvent] = list(delivery.events.all())
        return [shown(DeliveryEventOut, event) for event in events]

    @extend_schema_field(AttemptOut(many=True))
    def get_attempts(self, delivery: Delivery) -> list[dict[str, Any]]:
        pairs = zip(delivery.attempts.all(), requests_of(delivery), strict=True)
        return [shown(AttemptOut, attempt) | {"request": request} for attempt, request in pairs]


class BatchIn(In):
    """How much of a replay is done at once."""

    limit = WholeNumber(
        min_value=1, max_value=MOST, required=False, help_text=f"How many at most, oldest first; {MOST} unless said."
    )
    after = GivenId("dlv", required=False, help_text="Go on behind this delivery: the `next` of an earlier answer.")


class ReplayIn(BatchIn):
    """Which finished deliveries to send again; a state or a time is required, so that nobody replays everything."""

    state = serializers.ChoiceField(choices=sorted(state.value for state in RETRYABLE), required=False)
    channel = Text(max_length=40, required=False)
    recipient = Text(check=texts.check_external_id, max_length=255, required=False)
    endpoint = GivenId("end", required=False, help_text="The endpoint's id.")
    since = Time(required=False, help_text="Created at or after this time.")
    until = Time(required=False, help_text="Created before this time.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"state", "since", "until"}:
            raise serializers.ValidationError("Give at least one of state, since and until.")
        return attrs


class EndpointReplayIn(BatchIn):
    """Which of an endpoint's finished deliveries to send again."""

    since = Time(help_text="Created at or after this time.")
    until = Time(required=False, help_text="Created before this time.")
    states = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(state.value for state in REPLAYABLE)),
        min_length=1,
        max_length=len(REPLAYABLE),
        required=False,
        help_text="`failed`, `expired` and `cancelled` unless said; `sent` sends again what the receiver had accepted.",
    )


class ReplayedOut(serializers.Serializer[Any]):
    """What a replay put back in the queue."""

    count = serializers.IntegerField()
    next = serializers.CharField(
        allow_null=True, help_text="Give it as `after` to go on; null when everything that matched is queued."
    )

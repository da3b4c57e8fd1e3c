"""Explanations as they go out: decisions as codes for machines, each with a sentence for people."""

from typing import Any

from rest_framework import serializers

from api.serializers.submissions import PlannedEntryOut
from api.serializers.walks import ACTORS, WHO, DecisionOut, DigestOut, RunOut
from delivery.states import State
from notifications.models import Notification


class ReasonCountOut(serializers.Serializer[Any]):
    """How many deliveries of the notification stand where, and why."""

    channel = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    reason = serializers.CharField(allow_null=True)
    count = serializers.IntegerField()
    summary = serializers.CharField()
    actor = serializers.ChoiceField(choices=ACTORS, help_text=WHO)


class NextAttemptOut(serializers.Serializer[Any]):
    """When it is looked at again, and why then."""

    at = serializers.CharField()
    why = serializers.ChoiceField(choices=["due", "scheduled", "lease", "retry_schedule", "provider_pause"])
    step = serializers.IntegerField(allow_null=True, help_text="Of the retry schedule, from 1.")
    steps = serializers.IntegerField(help_text="How many the channel's schedule has.")
    summary = serializers.CharField()


class DeliveryExplanationOut(serializers.Serializer[Any]):
    """One delivery with every decision and attempt so far, oldest first."""

    id = serializers.CharField()
    recipient = serializers.CharField(help_text="The recipient's id.")
    channel = serializers.CharField()
    endpoint = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=[state.value for state in State])
    reason = serializers.CharField(allow_null=True)
    actor = serializers.ChoiceField(choices=ACTORS, help_text=WHO)
    used = serializers.BooleanField(help_text="Whether the channel was, or is going to be, tried.")
    summary = serializers.CharField()
    decisions = DecisionOut(many=True)
    next_attempt = NextAttemptOut(allow_null=True)


class ExplanationOut(serializers.Serializer[Any]):
    """Why a notification did what it did, with one page of its deliveries in `data`, newest first."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=Notification.Status.choices)
    reason = serializers.CharField(allow_null=True)
    summary = serializers.CharField()
    decisions = DecisionOut(many=True, help_text="About the notification as a whole.")
    counts = ReasonCountOut(many=True, help_text="Over all of its deliveries, whichever of them are on this page.")
    plan = PlannedEntryOut(many=True, help_text="Until it is routed: what a dry run would show now.")
    runs = RunOut(many=True, help_text="Walks through the workflow that have something to tell; the newest 100.")
    digests = DigestOut(many=True, help_text="Digests it joined; the newest 100.")
    data = DeliveryExplanationOut(many=True)  # type: ignore[assignment]  # a field, not the property
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)

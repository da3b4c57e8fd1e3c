"""Explanations as they go out: decisions as codes for machines, each with a sentence for people."""

from typing import Any, get_args

from rest_framework import serializers

from api.fields import FreeObject
from api.serializers.submissions import PlannedEntryOut
from delivery.reasons import Actor
from delivery.states import State
from notifications.models import Notification

_ACTORS = list(get_args(Actor))
_WHO = "Who can do something about it: `receiver` runs the server that was asked."


class DecisionOut(serializers.Serializer[Any]):
    """One thing that was decided or tried."""

    code = serializers.CharField(help_text="For machines, such as `accepted`, `not_used`, `attempt` or `ended`.")
    at = serializers.CharField(allow_null=True, help_text="RFC 3339; null where no time of it is kept.")
    summary = serializers.CharField(help_text="For people.")
    actor = serializers.ChoiceField(choices=_ACTORS, help_text=_WHO)
    detail = FreeObject(help_text="What it was decided by; of an attempt its number, outcome and response.")


class ReasonCountOut(serializers.Serializer[Any]):
    """How many deliveries of the notification stand where, and why."""

    channel = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    reason = serializers.CharField(allow_null=True)
    count = serializers.IntegerField()
    summary = serializers.CharField()
    actor = serializers.ChoiceField(choices=_ACTORS, help_text=_WHO)


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
    actor = serializers.ChoiceField(choices=_ACTORS, help_text=_WHO)
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
    data = DeliveryExplanationOut(many=True)  # type: ignore[assignment]  # a field, not the property
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)

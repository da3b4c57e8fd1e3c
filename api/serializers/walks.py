"""Decisions, walks through workflows and digests as they go out, in explanations and dry runs."""

from typing import Any, get_args

from rest_framework import serializers

from api.fields import FreeObject
from delivery.models import Run
from delivery.reasons import Actor

ACTORS = list(get_args(Actor))
WHO = "Who can do something about it: `receiver` runs the server that was asked."


class DecisionOut(serializers.Serializer[Any]):
    """One thing that was decided or tried."""

    code = serializers.CharField(help_text="For machines, such as `accepted`, `not_used`, `attempt` or `ended`.")
    at = serializers.CharField(allow_null=True, help_text="RFC 3339; null where no time of it is kept.")
    summary = serializers.CharField(help_text="For people.")
    actor = serializers.ChoiceField(choices=ACTORS, help_text=WHO)
    detail = FreeObject(help_text="What it was decided by; of an attempt its number, outcome and response.")


class RunOut(serializers.Serializer[Any]):
    """One recipient's walk through the workflow, or that of a digest."""

    id = serializers.CharField()
    recipient = serializers.CharField(help_text="The recipient's id.")
    state = serializers.ChoiceField(choices=Run.State.choices)
    reason = serializers.CharField(allow_null=True)
    step = serializers.CharField(allow_null=True, help_text="The step at which it waits.")
    next_at = serializers.CharField(allow_null=True, help_text="When it goes on.")
    digest = serializers.CharField(allow_null=True, help_text="Of a digest's walk, which.")
    summary = serializers.CharField()
    decisions = DecisionOut(many=True)


class DigestOut(serializers.Serializer[Any]):
    """One digest that the notification joined."""

    id = serializers.CharField()
    recipient = serializers.CharField(help_text="The recipient's id.")
    step = serializers.CharField()
    key = serializers.CharField(allow_blank=True, help_text="What the step's `digest_key` came to.")
    state = serializers.ChoiceField(choices=["open", "closed", "left"])
    count = serializers.IntegerField(help_text="Items in it.")
    closes_at = serializers.CharField()
    summary = serializers.CharField()

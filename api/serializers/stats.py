"""Statistics as they go out."""

from typing import Any

from rest_framework import serializers

from api.fields import Time


class ChannelStatsOut(serializers.Serializer[Any]):
    """One channel's deliveries."""

    channel = serializers.CharField()
    count = serializers.IntegerField()
    states = serializers.DictField(child=serializers.IntegerField(), help_text="Every state, also with none.")
    reasons = serializers.DictField(
        child=serializers.IntegerField(), help_text="Why deliveries failed, were suppressed, expired or were cancelled."
    )
    attempts = serializers.IntegerField()
    p50_seconds = serializers.FloatField(
        allow_null=True, help_text="Half of what was sent or delivered took no longer, from routing to the end."
    )
    p95_seconds = serializers.FloatField(allow_null=True)


class StatsOut(serializers.Serializer[Any]):
    """What was made in a time."""

    since = Time()
    until = Time()
    notifications = serializers.DictField(child=serializers.IntegerField(), help_text="By status.")
    deliveries = ChannelStatsOut(many=True)

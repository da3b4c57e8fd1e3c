"""Topics and subscriptions as they come in and go out."""

from typing import Any

from rest_framework import serializers

from api.fields import Text, Time
from api.serializing import In
from notifications import texts


class TopicIn(In):
    """A topic's own fields."""

    name = Text(check=texts.check_line, max_length=255, required=False, allow_blank=True)


class TopicOut(serializers.Serializer[Any]):
    """A named group of recipients."""

    key = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    created_at = Time()


class MembersIn(In):
    """Recipients by their ids; on subscribing, unknown ones are created bare."""

    recipients = serializers.ListField(
        child=Text(check=texts.check_external_id, max_length=255), min_length=1, max_length=1000
    )


class SubscribedOut(serializers.Serializer[Any]):
    """What subscribing changed."""

    added = serializers.IntegerField(help_text="New members; who was one already is not counted.")


class UnsubscribedOut(serializers.Serializer[Any]):
    """What unsubscribing changed."""

    removed = serializers.IntegerField()


class SubscriptionOut(serializers.Serializer[Any]):
    """One recipient's membership."""

    recipient = serializers.CharField(source="recipient.external_id")
    created_at = Time()

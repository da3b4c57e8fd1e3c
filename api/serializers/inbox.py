"""The inbox as its recipient sees it, for the OpenAPI document: rows come ready from `notifications.inbox`."""

from typing import Any, get_args

from rest_framework import serializers

from api.fields import FreeObject, Time
from notifications.events import InboxEventName


class InboxMessageOut(serializers.Serializer[Any]):
    """One in-app message."""

    id = serializers.CharField()
    offset = serializers.IntegerField(help_text="Of the change that created it.")
    title = serializers.CharField()
    body = serializers.CharField(help_text="Markdown.")
    action_url = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    actor = serializers.CharField(allow_null=True)
    data = FreeObject()  # type: ignore[assignment]  # a field, not the property
    created_at = Time()
    seen_at = Time(allow_null=True)
    read_at = Time(allow_null=True)
    archived_at = Time(allow_null=True)
    acknowledged_at = Time(allow_null=True)


class InboxCountsOut(serializers.Serializer[Any]):
    """The badge's numbers, of messages that are not archived, and the position they belong to."""

    unread = serializers.IntegerField()
    unseen = serializers.IntegerField()
    offset = serializers.IntegerField(help_text="Of the last change.")
    epoch = serializers.CharField(help_text="Names the history that `offset` belongs to.")


class BadgeOut(serializers.Serializer[Any]):
    """The badge's numbers."""

    unread = serializers.IntegerField()
    unseen = serializers.IntegerField()


class InboxChangeOut(serializers.Serializer[Any]):
    """One change, with its message as it is now: emptied, when it was deleted or has expired."""

    event = serializers.ChoiceField(choices=get_args(InboxEventName))
    offset = serializers.IntegerField()
    message = InboxMessageOut()


class InboxChangesOut(serializers.Serializer[Any]):
    """What has changed since the client's offset."""

    changes = InboxChangeOut(many=True)
    offset = serializers.IntegerField(help_text="Ask with this as `since` next time.")
    epoch = serializers.CharField(help_text="Ask with this as `epoch` next time.")
    recovered = serializers.BooleanField(
        help_text="Whether these are all changes since `since`; if not, load the inbox anew."
    )
    counts = BadgeOut()

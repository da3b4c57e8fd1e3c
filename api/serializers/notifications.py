"""Notifications as they go out; how they come in is said by `notifications/intake/submission.py`."""

from typing import Any

from rest_framework import serializers

from api.fields import FreeObject, PublicId, Text, Time
from api.serializing import In
from delivery.states import State
from notifications import texts
from notifications.models import Notification


class AttachmentOut(serializers.Serializer[Any]):
    """A file that goes along with a mail."""

    name = serializers.CharField()
    url = serializers.CharField()
    type = serializers.CharField(allow_null=True, default=None)
    inline = serializers.CharField(allow_null=True, default=None, help_text="Content id of an image in the text.")


class ContentOut(serializers.Serializer[Any]):
    """What is said."""

    title = serializers.CharField(allow_blank=True)
    body = serializers.CharField(allow_blank=True)
    action_url = serializers.CharField(allow_null=True)
    attachments = AttachmentOut(many=True, default=list)

    def to_representation(self, instance: Any) -> Any:
        return super().to_representation(instance) if instance else None


class NotificationOut(serializers.Serializer[Any]):
    """One accepted request."""

    id = PublicId("ntf")
    status = serializers.ChoiceField(choices=Notification.Status.choices)
    reason = serializers.SerializerMethodField()
    workflow = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    critical = serializers.BooleanField()
    quiet_hours = serializers.ChoiceField(
        choices=Notification.QuietHours.choices,
        allow_null=True,
        help_text="What becomes of it in quiet hours; null: as recipients, the project or the workflow's steps say.",
    )
    actor = serializers.CharField(allow_null=True)
    thread = serializers.CharField(allow_null=True, help_text="Mails of one thread are shown together.")
    recipients = serializers.ListField(child=serializers.JSONField(), help_text="Ids of recipients, or {topic}.")
    content = ContentOut(allow_null=True, help_text="Null where a workflow says it.")
    channels = serializers.ListField(
        child=serializers.CharField(), help_text="Empty with a workflow: all that it uses."
    )
    data = FreeObject()  # type: ignore[assignment]  # a field, not the property
    metadata = FreeObject()
    cancellation_key = serializers.CharField(allow_null=True)
    send_at = Time(allow_null=True)
    expires_at = Time(allow_null=True)
    created_at = Time()
    routed_at = Time(allow_null=True)

    def get_reason(self, notification: Notification) -> str | None:
        return notification.reason or None


class StateCountsOut(serializers.Serializer[Any]):
    """How many deliveries are in each state."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {state.value: serializers.IntegerField() for state in State}


class NotificationDetailOut(NotificationOut):
    """One accepted request, and how far it has come."""

    deliveries = StateCountsOut()


class CancelIn(In):
    """Which notifications to cancel."""

    cancellation_key = Text(check=texts.check_external_id, max_length=255)


class AcknowledgeIn(In):
    """Who takes care."""

    recipient = Text(check=texts.check_external_id, max_length=255, required=False, help_text="A recipient's id.")


class AcknowledgedOut(serializers.Serializer[Any]):
    """Who takes care, since when."""

    id = serializers.CharField(source="public_id")
    acknowledged_at = Time()
    acknowledged_by = serializers.CharField(allow_null=True)


class CancelledOut(serializers.Serializer[Any]):
    """What cancelling stopped. A delivery that is being sent at that moment is not stopped."""

    notifications = serializers.IntegerField(help_text="Notifications that were found.")
    cancelled_deliveries = serializers.IntegerField()

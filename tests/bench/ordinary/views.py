"""Accepting a notification the way most would write it: adrf view, DRF serializer, ORM, one task."""

from typing import Any

from adrf.views import APIView
from rest_framework import serializers, status
from rest_framework.response import Response

from notifications import ids
from notifications.models import Notification
from tests.bench.ordinary.tasks import deliver


class ContentSerializer(serializers.Serializer[Any]):
    """What is said."""

    title = serializers.CharField(max_length=1000)
    body = serializers.CharField(max_length=200_000)
    action_url = serializers.URLField(required=False, allow_null=True)


class NotificationSerializer(serializers.Serializer[Any]):
    """One request."""

    recipients = serializers.ListField(child=serializers.CharField(max_length=255), max_length=1000)
    content = ContentSerializer()
    channels = serializers.ListField(child=serializers.ChoiceField(["in_app", "email", "webhook"]))
    data = serializers.DictField(required=False, default=dict)
    metadata = serializers.DictField(required=False, default=dict)
    category = serializers.CharField(max_length=255, required=False, allow_null=True)
    send_at = serializers.DateTimeField(required=False, allow_null=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class NotificationView(APIView):
    """`/v1/notifications`"""

    async def post(self, request: Any) -> Response:
        serializer = NotificationSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        notification = await Notification.objects.acreate(
            project_id=request.auth.project_id, **serializer.validated_data
        )
        deliver.delay(str(notification.id))
        return Response(
            {
                "id": ids.encode("ntf", notification.id),
                "status": "accepted",
                "created_at": notification.created_at,
            },
            status=status.HTTP_202_ACCEPTED,
        )

"""`/v1/recipients/{id}/presence`: whether a recipient is connected right now, and when last."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse

from api import paths
from api.base import ApiRequest, ApiView, json_response
from api.openapi import operation
from api.queries import read_query
from api.serializers.presence import PresenceOut
from api.serializing import shown
from notifications import selectors
from notifications.clock import utc_now
from notifications.executor import in_thread
from notifications.inbox.presence import Presence, read_presence


class RecipientPresence(ApiView):
    """`/v1/recipients/{id}/presence`"""

    scopes = {"GET": "recipients:read"}

    @operation(
        tag="Recipients",
        name="get_presence",
        summary="Ask whether a recipient is connected",
        description="By open inbox sockets and event streams on all processes; a change shows within about a second. What a killed process held"
        " open counts until its lease ends, 50 s at most. While Redis does not answer, `online` is null.",
        answers={200: PresenceOut},
        answer_example={
            "online": True,
            "devices": 2,
            "connected_since": "2026-01-31T08:00:00.000Z",
            "last_seen_at": "2026-01-31T09:00:00.000Z",
        },
    )
    async def get(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        read_query(request, ())
        recipient_pk, last_seen_at = await in_thread(
            selectors.get_last_seen,
            project_id=request.caller.project_id,
            external_id=paths.existing_recipient(recipient_id),
        )
        known = await read_presence([recipient_pk])
        return json_response(shown(PresenceOut, _fields(known[recipient_pk] if known else None, last_seen_at)))


def _fields(presence: Presence | None, last_seen_at: datetime | None) -> dict[str, Any]:
    if presence is None:
        return {"online": None, "devices": None, "connected_since": None, "last_seen_at": last_seen_at}
    return {
        "online": presence.online,
        "devices": presence.devices,
        "connected_since": presence.connected_since,
        "last_seen_at": utc_now() if presence.online else last_seen_at,
    }

"""`/v1/recipients/{id}/preferences`: what a recipient wants."""

from typing import Any

from django.http import HttpResponse

from api import paths
from api.base import ApiRequest, ApiView, json_response
from api.openapi import operation
from api.serializers.preferences import EXAMPLE, PreferencesIn, PreferencesOut
from notifications import selectors
from notifications.executor import in_thread
from notifications.services import preferences as services


def out(settings: dict[str, Any]) -> dict[str, Any]:
    """All parts, also those of which nothing was said; it can be sent back as it is."""
    return {
        "channels": {},
        "categories": {},
        "workflows": {},
        "quiet_hours": None,
        "digests": {},
        **settings,
    }


class RecipientPreferencesItem(ApiView):
    """`/v1/recipients/{id}/preferences`"""

    scopes = {"GET": "recipients:read", "PUT": "recipients:write", "PATCH": "recipients:write"}

    @operation(
        tag="Preferences",
        name="get_preferences",
        summary="Read a recipient's preferences",
        description="The recipient's own, without what the project says for everybody.",
        answers={200: PreferencesOut},
    )
    async def get(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        settings = await in_thread(
            selectors.get_preferences,
            project_id=request.caller.project_id,
            external_id=paths.existing_recipient(recipient_id),
        )
        return json_response(out(settings))

    @operation(
        tag="Preferences",
        name="put_preferences",
        summary="Replace a recipient's preferences",
        description="They are exactly as sent afterwards. Creates a bare recipient where it is unknown.",
        request=PreferencesIn,
        example=EXAMPLE,
        answers={200: PreferencesOut},
    )
    async def put(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        row = await in_thread(
            services.put_preferences,
            project_id=request.caller.project_id,
            external_id=paths.new_recipient(recipient_id),
            settings=self.read(request),
        )
        return json_response(out(row.settings))

    @operation(
        tag="Preferences",
        name="patch_preferences",
        summary="Change a recipient's preferences",
        description="A JSON Merge Patch (RFC 7396): what is left out stays, null takes back what was said.",
        request=PreferencesIn,
        example={"categories": {"collab": {"email": False}}},
        answers={200: PreferencesOut},
    )
    async def patch(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        row = await in_thread(
            services.patch_preferences,
            project_id=request.caller.project_id,
            external_id=paths.existing_recipient(recipient_id),
            patch=self.read(request),
        )
        return json_response(out(row.settings))

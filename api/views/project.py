"""`/v1/project`: what the project of the API key decides for all of its recipients."""

from typing import Any

from django.http import HttpResponse

from api.base import ApiRequest, ApiView, json_response
from api.openapi import operation
from api.serializers.preferences import ProjectIn, ProjectOut
from api.serializing import shown
from api.views.preferences import out as preferences_out
from notifications.errors import Fault, Invalid
from notifications.executor import in_thread
from notifications.models import ProjectSettings
from notifications.services import project_settings as services


def out(row: ProjectSettings) -> dict[str, Any]:
    return {**shown(ProjectOut, row), "preferences": preferences_out(row.preferences)}


class ProjectItem(ApiView):
    """`/v1/project`"""

    scopes = {"GET": "recipients:read", "PATCH": "admin"}

    @operation(
        tag="Project",
        name="get_project",
        summary="Read the project",
        description="The one that the API key belongs to, with its defaults for all recipients.",
        answers={200: ProjectOut},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        return json_response(out(await in_thread(services.get_settings, request.caller.project_id)))

    @operation(
        tag="Project",
        name="patch_project",
        summary="Change the project's settings",
        description="A JSON Merge Patch (RFC 7396): what is left out stays, null is the default again. Needs the scope `admin`.",
        request=ProjectIn,
        example={
            "timezone": "Europe/Berlin",
            "preferences": {"categories": {"news": {"sms": False}}},
            "caps": {"channels": {"email": {"limit": 5, "per": "PT1H"}}},
        },
        answers={200: ProjectOut},
    )
    async def patch(self, request: ApiRequest) -> HttpResponse:
        patch = self.read(request)
        if not isinstance(patch, dict):
            raise Invalid([Fault("", "Must be an object.")])
        row = await in_thread(services.patch_settings, project_id=request.caller.project_id, patch=patch)
        return json_response(out(row))

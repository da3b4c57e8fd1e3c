"""`/v1/recipients/{id}/export`: everything that is kept of a person."""

from django.http import HttpResponse

from api import paths
from api.base import ApiRequest, ApiView
from api.export import MEDIA_TYPE, export_lines
from api.openapi import operation
from api.queries import read_query
from api.serializers.export import ExportLineOut
from api.streaming import StreamedResponse
from notifications import selectors
from notifications.executor import in_thread


class RecipientExport(ApiView):
    """`/v1/recipients/{id}/export`"""

    scopes = {"GET": "recipients:read"}
    media_types = (MEDIA_TYPE, "application/json")  # lines of it

    @operation(
        tag="Recipients",
        name="export_recipient",
        summary="Export a recipient",
        description="Everything that is kept of a person, one JSON object a line: `{type, data}`, of type `recipient` (first), `endpoint`,"
        " `subscription`, `preferences`, `suppression`, `inbox`, `message`, `schedule` (those that name the person), `notification` and `delivery`, in the shapes of their own"
        " resources. Read to the end: a connection that breaks before leaves an incomplete export.",
        answers={(200, MEDIA_TYPE): ExportLineOut},
    )
    async def get(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        read_query(request, ())
        recipient = await in_thread(
            selectors.get_recipient,
            project_id=request.caller.project_id,
            external_id=paths.existing_recipient(recipient_id),
        )
        if request.method == "HEAD":
            return HttpResponse(content_type=MEDIA_TYPE)
        return StreamedResponse(export_lines(recipient), content_type=MEDIA_TYPE)

"""`/v1/recipients`: make, read, change and erase."""

from typing import Any

from django.http import HttpResponse

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.recipients import RecipientFieldsIn, RecipientOut
from api.serializing import shown, validated
from delivery.erasing import erase_recipient
from notifications import selectors
from notifications.events import access_hint
from notifications.executor import in_thread
from notifications.inbox.presence import forget_presence
from notifications.inbox.process import inbox_door
from notifications.models import Recipient
from notifications.services import recipients as services

_SCOPES = {
    "GET": "recipients:read",
    "PUT": "recipients:write",
    "PATCH": "recipients:write",
    "DELETE": "recipients:write",
}
_EXAMPLE = {
    "email": "u1@example.com",
    "name": "Ada",
    "locale": "de-AT",
    "timezone": "Europe/Vienna",
    "data": {"plan": "pro"},
}


def out(recipient: Recipient) -> dict[str, Any]:
    return shown(RecipientOut, recipient)


class RecipientCollection(ApiView):
    """`/v1/recipients`"""

    scopes = _SCOPES

    @operation(
        tag="Recipients",
        name="list_recipients",
        summary="List recipients",
        description="Newest first.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(RecipientOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        page = paging.read_page(read_query(request, paging.PARAMETERS), name="recipients", project_id=project_id)
        return json_response(await in_thread(paging.cut, selectors.recipients_of(project_id), page, out))


class RecipientItem(ApiView):
    """`/v1/recipients/{id}`"""

    scopes = _SCOPES

    @operation(tag="Recipients", name="get_recipient", summary="Read a recipient", answers={200: RecipientOut})
    async def get(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        recipient = await in_thread(
            selectors.get_recipient,
            project_id=request.caller.project_id,
            external_id=paths.existing_recipient(recipient_id),
        )
        return json_response(out(recipient))

    @operation(
        tag="Recipients",
        name="put_recipient",
        summary="Create or replace a recipient",
        description="The recipient is exactly as sent afterwards: fields that are left out are emptied.",
        request=RecipientFieldsIn,
        example=_EXAMPLE,
        answers={200: RecipientOut, 201: RecipientOut},
    )
    async def put(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        recipient, created = await in_thread(
            services.put_recipient,
            project_id=request.caller.project_id,
            external_id=paths.new_recipient(recipient_id),
            fields=validated(RecipientFieldsIn, self.read(request)),
        )
        return json_response(out(recipient), 201 if created else 200)

    @operation(
        tag="Recipients",
        name="patch_recipient",
        summary="Change a recipient",
        description="A JSON Merge Patch (RFC 7396): null empties a field, what is left out stays, `data` is merged.",
        request=RecipientFieldsIn,
        example={"locale": "de", "data": {"plan": None}},
        answers={200: RecipientOut},
    )
    async def patch(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        recipient = await in_thread(
            services.patch_recipient,
            project_id=request.caller.project_id,
            external_id=paths.existing_recipient(recipient_id),
            fields=validated(RecipientFieldsIn, self.read(request), partial=True),
        )
        return json_response(out(recipient))

    @operation(
        tag="Recipients",
        name="erase_recipient",
        summary="Erase a recipient",
        description="Removes the person with addresses, subscriptions, inbox and deliveries, and the id from schedules, from whom workflows"
        " call, and from notifications that were for others as well. A schedule that is left for nobody pauses, with a"
        " `pause_reason`. Open inboxes are closed within about a second.",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        recipient_pk = await in_thread(
            erase_recipient,
            project_id=request.caller.project_id,
            external_id=paths.existing_recipient(recipient_id),
        )
        await forget_presence(recipient_pk)
        await (await inbox_door()).publish([access_hint(recipient_pk)])
        return HttpResponse(status=204)

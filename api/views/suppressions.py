"""`/v1/suppressions`: addresses that must not be written to."""

from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.suppressions import SuppressionIn, SuppressionOut
from api.serializing import shown, validated
from notifications import ids, selectors
from notifications.addresses import hash_email
from notifications.errors import Fault, Invalid
from notifications.executor import in_thread
from notifications.intake.requests import Answer
from notifications.models import Suppression
from notifications.services import suppressions as services

_SCOPES: Final = {"GET": "recipients:read", "POST": "recipients:write", "DELETE": "recipients:write"}
_REASONS: Final = [reason.value for reason in Suppression.Reason]
_FILTERS: Final = [
    OpenApiParameter("address", str, description="An email address, in any spelling; finds erased ones too."),
    OpenApiParameter("reason", str, enum=_REASONS),
]


def out(suppression: Suppression) -> dict[str, Any]:
    return shown(SuppressionOut, suppression)


class SuppressionCollection(ApiView):
    """`/v1/suppressions`"""

    scopes = _SCOPES

    @operation(
        tag="Suppressions",
        name="list_suppressions",
        summary="List suppressions",
        description="Newest first; filters narrow together.",
        parameters=[*_FILTERS, *LIST_PARAMETERS],
        answers={200: page_of(SuppressionOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        query = read_query(request, paging.PARAMETERS | {"address", "reason"})
        page = paging.read_page(query, name="suppressions", project_id=project_id)
        rows = selectors.suppressions_of(project_id)
        if "reason" in query:
            if query["reason"] not in _REASONS:
                raise Invalid([Fault("/reason", "Not a reason of a suppression.")])
            rows = rows.filter(reason=query["reason"])
        if "address" in query:
            rows = rows.filter(address_hash=await in_thread(hash_email, query["address"]))
        return json_response(await in_thread(paging.cut, rows, page, out))

    @operation(
        tag="Suppressions",
        name="create_suppression",
        summary="Suppress an address",
        description=(
            "Nothing is mailed to it any more: deliveries end as `suppressed`, also those that wait for a retry. "
            "Addresses are the same in upper and lower case. One that is on the list for this reason is changed (200). "
            "`critical` notifications pass over `unsubscribe`, not over the other reasons."
        ),
        request=SuppressionIn,
        example={"address": "ada@example.com", "reason": "manual", "detail": "asked by phone"},
        answers={200: SuppressionOut, 201: SuppressionOut},
    )
    async def post(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        values = validated(SuppressionIn, self.read(request))

        def work() -> Answer:
            suppression, created = services.suppress_email(
                project_id=project_id,
                address=values["address"],
                reason=values.get("reason", Suppression.Reason.MANUAL),
                detail=values.get("detail", ""),
                expires_at=values.get("expires_at"),
            )
            location = {"Location": f"{request.path}/{ids.encode('sup', suppression.id)}"}
            return json_answer(out(suppression), 201 if created else 200, location if created else None)

        return await answer_once(request, project_id, work)


class SuppressionItem(ApiView):
    """`/v1/suppressions/{id}`"""

    scopes = _SCOPES

    @operation(tag="Suppressions", name="get_suppression", summary="Read a suppression", answers={200: SuppressionOut})
    async def get(self, request: ApiRequest, suppression_id: str) -> HttpResponse:
        suppression = await in_thread(
            selectors.get_suppression,
            project_id=request.caller.project_id,
            suppression_id=paths.row("sup", suppression_id),
        )
        return json_response(out(suppression))

    @operation(
        tag="Suppressions",
        name="delete_suppression",
        summary="Take an address off the list",
        description="For this reason; others that are on the list for the same address stay.",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, suppression_id: str) -> HttpResponse:
        await in_thread(
            services.delete_suppression,
            project_id=request.caller.project_id,
            suppression_id=paths.row("sup", suppression_id),
        )
        return HttpResponse(status=204)

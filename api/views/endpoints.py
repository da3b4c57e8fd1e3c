"""`/v1/recipients/{id}/endpoints`: further addresses of a recipient."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.encoding import escape_uri_path

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.endpoints import EndpointIn, EndpointMadeOut, EndpointOut, EndpointPatchIn
from api.serializing import shown, validated
from delivery.transports.guard import AddressGuard, UrlRefused
from notifications import ids, selectors
from notifications.errors import Fault, Invalid
from notifications.executor import in_thread
from notifications.intake.requests import Answer
from notifications.models import Endpoint
from notifications.services import endpoints as services

_SCOPES = {
    "GET": "recipients:read",
    "POST": "recipients:write",
    "PATCH": "recipients:write",
    "DELETE": "recipients:write",
}


def out(endpoint: Endpoint) -> dict[str, Any]:
    return shown(EndpointOut, endpoint)


def check_url(url: str) -> str:
    """The URL in its normal form, if deliveries may go there. Raises `Invalid`."""
    try:
        return AddressGuard(settings.CARILLON_WEBHOOK_ALLOW).check_url(url)
    except UrlRefused as error:
        raise Invalid(
            [Fault("/url", f"The URL {error.detail}." if error.reason == "invalid_url" else error.detail)]
        ) from error


class EndpointCollection(ApiView):
    """`/v1/recipients/{id}/endpoints`"""

    scopes = _SCOPES

    @operation(
        tag="Endpoints",
        name="list_endpoints",
        summary="List a recipient's endpoints",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(EndpointOut)},
    )
    async def get(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        project_id, external_id = request.caller.project_id, paths.existing_recipient(recipient_id)
        page = paging.read_page(read_query(request, paging.PARAMETERS), name="endpoints", project_id=project_id)

        def work() -> dict[str, Any]:
            return paging.cut(selectors.endpoints_of(project_id=project_id, external_id=external_id), page, out)

        return json_response(await in_thread(work))

    @operation(
        tag="Endpoints",
        name="create_endpoint",
        summary="Add an endpoint",
        description="The answer holds the signing secret (Standard Webhooks). It is shown this once."
        " With `v1a` the endpoint's `public_key` verifies; the private key never leaves Carillon.",
        request=EndpointIn,
        example={
            "channel": "webhook",
            "url": "https://example.com/hooks/carillon",
            "signature": "both",
            "headers": {"authorization": "Bearer receivers-own-token"},
            "event_types": ["order-*", "invoice-paid"],
            "retry_seconds": [5, 60, 600, 3600],
        },
        answers={201: EndpointMadeOut},
    )
    async def post(self, request: ApiRequest, recipient_id: str) -> HttpResponse:
        project_id, external_id = request.caller.project_id, paths.existing_recipient(recipient_id)
        values = validated(EndpointIn, self.read(request))
        url, channel = check_url(values.pop("url")), values.pop("channel")

        def work() -> Answer:
            endpoint, secret = services.create_endpoint(
                project_id=project_id, external_id=external_id, channel=channel, url=url, options=values
            )
            location = {"Location": f"{escape_uri_path(request.path)}/{ids.encode('end', endpoint.id)}"}
            return json_answer({**out(endpoint), "secret": secret}, 201, location)

        return await answer_once(request, project_id, work)


class EndpointItem(ApiView):
    """`/v1/recipients/{id}/endpoints/{endpoint_id}`"""

    scopes = _SCOPES

    @operation(tag="Endpoints", name="get_endpoint", summary="Read an endpoint", answers={200: EndpointOut})
    async def get(self, request: ApiRequest, recipient_id: str, endpoint_id: str) -> HttpResponse:
        endpoint = await in_thread(selectors.get_endpoint, **named(request, recipient_id, endpoint_id))
        return json_response(out(endpoint))

    @operation(
        tag="Endpoints",
        name="patch_endpoint",
        summary="Change an endpoint",
        description="Another URL, headers, filters or retry schedule; disable and enable it. The secret stays: rotate it.",
        request=EndpointPatchIn,
        example={"state": "enabled", "headers": {"x-old": None}, "event_types": ["order-*"]},
        answers={200: EndpointOut},
    )
    async def patch(self, request: ApiRequest, recipient_id: str, endpoint_id: str) -> HttpResponse:
        values = validated(EndpointPatchIn, self.read(request), partial=True)
        if "url" in values:
            values["url"] = check_url(values["url"])
        endpoint = await in_thread(
            services.change_endpoint,
            **named(request, recipient_id, endpoint_id),
            changes=values,
        )
        return json_response(out(endpoint))

    @operation(
        tag="Endpoints",
        name="delete_endpoint",
        summary="Remove an endpoint",
        description="Its deliveries stay as history; what was still to be sent there fails.",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, recipient_id: str, endpoint_id: str) -> HttpResponse:
        await in_thread(services.delete_endpoint, **named(request, recipient_id, endpoint_id))
        return HttpResponse(status=204)


def named(request: ApiRequest, recipient_id: str, endpoint_id: str) -> dict[str, Any]:
    """The endpoint that a path names, as services and selectors want it. Raises `NotFound`."""
    return {
        "project_id": request.caller.project_id,
        "external_id": paths.existing_recipient(recipient_id),
        "endpoint_id": paths.row("end", endpoint_id),
    }

"""`/v1/events`: what became of things, told to the caller's own webhooks, and the log of what was told."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.events import EventEndpointIn, EventEndpointMadeOut, EventEndpointOut, EventOut
from api.serializing import shown, validated
from api.views.endpoints import check_url
from delivery.models import EventEndpoint, StatusEvent
from delivery.status_events import endpoints as services
from delivery.status_events.types import TYPES
from notifications.errors import Fault, Invalid
from notifications.executor import in_thread

_SCOPES = {"GET": "notifications:read"}
_TYPE = OpenApiParameter("type", str, enum=sorted(TYPES))


def out(event: StatusEvent) -> dict[str, Any]:
    return shown(EventOut, event)


def endpoint_out(endpoint: EventEndpoint) -> dict[str, Any]:
    return shown(EventEndpointOut, endpoint)


class EventCollection(ApiView):
    """`/v1/events`"""

    scopes = _SCOPES

    @operation(
        tag="Events",
        name="list_events",
        summary="List status events",
        description="Newest first, as far back as events are kept. Only what an event endpoint wanted to know is recorded.",
        parameters=[_TYPE, *LIST_PARAMETERS],
        answers={200: page_of(EventOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        query = read_query(request, paging.PARAMETERS | {"type"})
        page = paging.read_page(query, name="events", project_id=project_id)
        rows = services.events_of(project_id)
        if "type" in query:
            if query["type"] not in TYPES:
                raise Invalid([Fault("/type", "Not a type of status event.")])
            rows = rows.filter(type=query["type"])
        return json_response(await in_thread(paging.cut, rows, page, out))


class EventItem(ApiView):
    """`/v1/events/{id}`"""

    scopes = _SCOPES

    @operation(tag="Events", name="get_event", summary="Read a status event", answers={200: EventOut})
    async def get(self, request: ApiRequest, event_id: str) -> HttpResponse:
        row_id = paths.row("evt", event_id)

        def work() -> dict[str, Any]:
            return out(services.get_event(project_id=request.caller.project_id, event_id=row_id))

        return json_response(await in_thread(work))


class EventEndpointCollection(ApiView):
    """`/v1/events/endpoints`"""

    scopes = _SCOPES

    @operation(
        tag="Events",
        name="list_event_endpoints",
        summary="List event endpoints",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(EventEndpointOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        page = paging.read_page(read_query(request, paging.PARAMETERS), name="event_endpoints", project_id=project_id)
        return json_response(await in_thread(paging.cut, services.endpoints_of(project_id), page, endpoint_out))


class EventEndpointItem(ApiView):
    """`/v1/events/endpoints/{key}`; what is told to whom is for keys with the scope `admin`."""

    scopes = _SCOPES

    @operation(
        tag="Events", name="get_event_endpoint", summary="Read an event endpoint", answers={200: EventEndpointOut}
    )
    async def get(self, request: ApiRequest, event_endpoint_key: str) -> HttpResponse:
        return json_response(
            endpoint_out(await in_thread(services.get_endpoint, **_named(request, event_endpoint_key)))
        )

    @operation(
        tag="Events",
        name="put_event_endpoint",
        summary="Create or replace an event endpoint",
        description=(
            "Events from now on are posted to it as Standard Webhooks, at least once, in order as far as retries allow. "
            "The answer to the first PUT holds the signing secret. It is shown this once. "
            "Callbacks that are slow or fail never delay a delivery."
        ),
        request=EventEndpointIn,
        example={
            "url": "https://example.com/hooks/carillon-status",
            "types": ["delivery.failed", "delivery.expired"],
            "description": "Tells support",
        },
        answers={200: EventEndpointOut, 201: EventEndpointMadeOut},
    )
    async def put(self, request: ApiRequest, event_endpoint_key: str) -> HttpResponse:
        key = paths.new_topic(event_endpoint_key)
        values = validated(EventEndpointIn, self.read(request))
        endpoint, secret = await in_thread(
            services.put_endpoint,
            project_id=request.caller.project_id,
            key=key,
            url=check_url(values["url"]),
            types=sorted(set(values.get("types", []))),
            description=values.get("description", ""),
            state=values.get("state", EventEndpoint.State.ENABLED),
        )
        if secret is None:
            return json_response(endpoint_out(endpoint))
        return json_response({**endpoint_out(endpoint), "secret": secret}, 201)

    @operation(
        tag="Events",
        name="delete_event_endpoint",
        summary="Remove an event endpoint",
        description="What it was still to be told is dropped.",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, event_endpoint_key: str) -> HttpResponse:
        await in_thread(services.delete_endpoint, **_named(request, event_endpoint_key))
        return HttpResponse(status=204)


def _named(request: ApiRequest, key: str) -> dict[str, Any]:
    return {"project_id": request.caller.project_id, "key": paths.existing_topic(key)}

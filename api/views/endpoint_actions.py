"""What can be done with a webhook endpoint: rotate its keys, ping it, read its log, send again."""

from typing import Any

from django.http import HttpResponse

from api import paging
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import DELIVERY_FILTERS, LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.deliveries import DeliveryOut, EndpointReplayIn, ReplayedOut
from api.serializers.endpoints import EndpointMadeOut, RotationIn
from api.serializing import validated
from api.views.deliveries import out as delivery_out
from api.views.deliveries import read_filter, replayed, split_batch
from api.views.endpoints import named
from api.views.endpoints import out as endpoint_out
from delivery import pings, replays
from delivery.selectors import find_deliveries
from delivery.states import RETRYABLE
from notifications import selectors
from notifications.bell import bell
from notifications.events import SEND_TASK
from notifications.executor import in_thread
from notifications.intake.requests import Answer
from notifications.services import endpoints as services

_SENDING = {"GET": "notifications:read", "POST": "notifications:write"}
_FILTERS = frozenset({"state", "since", "until"})


class EndpointRotation(ApiView):
    """`/v1/recipients/{id}/endpoints/{endpoint_id}/rotate-secret`"""

    scopes = {"POST": "recipients:write"}

    @operation(
        tag="Endpoints",
        name="rotate_secret",
        summary="Rotate an endpoint's keys",
        description="Makes a new secret, shown this once, a new key pair, or both, as the endpoint's `signature` says; `signature` changes"
        " the kind with it. What signed before signs along for 24 h, so receivers change over in their own time.",
        request=RotationIn,
        example={"signature": "both"},
        answers={200: EndpointMadeOut},
    )
    async def post(self, request: ApiRequest, recipient_id: str, endpoint_id: str) -> HttpResponse:
        where = named(request, recipient_id, endpoint_id)
        values = validated(RotationIn, self.read_optional(request))

        def work() -> Answer:
            endpoint, secret = services.rotate_secret(**where, **values)
            return json_answer({**endpoint_out(endpoint), "secret": secret})

        return await answer_once(request, request.caller.project_id, work)


class EndpointPing(ApiView):
    """`/v1/recipients/{id}/endpoints/{endpoint_id}/ping`"""

    scopes = _SENDING

    @operation(
        tag="Endpoints",
        name="ping_endpoint",
        summary="Send a test webhook",
        description="A delivery of type `ping` to this endpoint alone, whatever its filters, signed and guarded as any other and tried"
        " once. Read the delivery to see what came of it.",
        answers={202: DeliveryOut},
    )
    async def post(self, request: ApiRequest, recipient_id: str, endpoint_id: str) -> HttpResponse:
        where = named(request, recipient_id, endpoint_id)

        def work() -> Answer:
            delivery = delivery_out(pings.ping_endpoint(**where))
            return json_answer(delivery, 202, {"Location": f"/v1/deliveries/{delivery['id']}"})

        response = await answer_once(request, request.caller.project_id, work)
        bell().ring(SEND_TASK)
        return response


class EndpointDeliveries(ApiView):
    """`/v1/recipients/{id}/endpoints/{endpoint_id}/deliveries`"""

    scopes = _SENDING

    @operation(
        tag="Endpoints",
        name="list_endpoint_deliveries",
        summary="List what was sent to an endpoint",
        description="Newest first; filters narrow together. Each delivery's own view shows its requests and responses.",
        parameters=[*(given for given in DELIVERY_FILTERS if given.name in _FILTERS), *LIST_PARAMETERS],
        answers={200: page_of(DeliveryOut)},
    )
    async def get(self, request: ApiRequest, recipient_id: str, endpoint_id: str) -> HttpResponse:
        where = named(request, recipient_id, endpoint_id)
        query = read_query(request, paging.PARAMETERS | _FILTERS)
        name = f"deliveries-of-{where['endpoint_id'].hex}"
        page = paging.read_page(query, name=name, project_id=where["project_id"])
        wanted = read_filter(query)

        def work() -> dict[str, Any]:
            endpoint = selectors.get_endpoint(**where)
            rows = find_deliveries(project_id=where["project_id"], wanted={**wanted, "endpoint": endpoint.id})
            return paging.cut(rows.select_related("recipient"), page, delivery_out)

        return json_response(await in_thread(work))


class EndpointReplay(ApiView):
    """`/v1/recipients/{id}/endpoints/{endpoint_id}/replay`"""

    scopes = _SENDING

    @operation(
        tag="Endpoints",
        name="replay_endpoint",
        summary="Send to an endpoint again",
        description="Everything since a time that has ended in one of `states`, up to `limit`, oldest first. Each keeps its `webhook-id`."
        " What is on its way already is left alone.",
        request=EndpointReplayIn,
        example={"since": "2026-01-31T09:00:00+01:00", "states": ["failed", "sent"]},
        answers={202: ReplayedOut},
    )
    async def post(self, request: ApiRequest, recipient_id: str, endpoint_id: str) -> HttpResponse:
        where = named(request, recipient_id, endpoint_id)
        values = validated(EndpointReplayIn, self.read(request))
        states = values.pop("states", RETRYABLE)
        wanted, batch = split_batch(values)

        def work() -> Answer:
            return replayed(replays.replay_endpoint(**where, wanted=wanted, states=states, **batch))

        response = await answer_once(request, request.caller.project_id, work)
        bell().ring(SEND_TASK)
        return response

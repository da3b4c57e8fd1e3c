"""`/v1/deliveries`: what became of each, and sending it once more."""

from typing import Any, cast

from django.http import HttpResponse

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import DELIVERY_FILTERS, LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.deliveries import DeliveryDetailOut, DeliveryOut, ReplayedOut, ReplayIn
from api.serializing import shown, validated
from delivery import replays, selectors, services
from delivery.models import Delivery
from delivery.states import State
from notifications import ids, texts
from notifications.bell import bell
from notifications.errors import Fault, Invalid
from notifications.events import SEND_TASK
from notifications.executor import in_thread
from notifications.intake.requests import Answer

_SCOPES = {"GET": "notifications:read", "POST": "notifications:write"}
_STATES = frozenset(state.value for state in State)
_FILTERS = frozenset({"state", "channel", "recipient", "endpoint", "since", "until"})


def out(delivery: Delivery) -> dict[str, Any]:
    return shown(DeliveryOut, delivery)


class DeliveryCollection(ApiView):
    """`/v1/deliveries`"""

    scopes = _SCOPES

    @operation(
        tag="Deliveries",
        name="list_deliveries",
        summary="List deliveries",
        description="Newest first; filters narrow together.",
        parameters=[*DELIVERY_FILTERS, *LIST_PARAMETERS],
        answers={200: page_of(DeliveryOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        query = read_query(request, paging.PARAMETERS | _FILTERS)
        page = paging.read_page(query, name="deliveries", project_id=project_id)
        rows = selectors.find_deliveries(project_id=project_id, wanted=read_filter(query))
        return json_response(await in_thread(paging.cut, rows.select_related("recipient"), page, out))


class DeliveryItem(ApiView):
    """`/v1/deliveries/{id}`"""

    scopes = _SCOPES

    @operation(
        tag="Deliveries",
        name="get_delivery",
        summary="Read a delivery",
        description=(
            "With every attempt and what the other side answered, and the events reported later: a mail that was `sent` may "
            "still be raised to `delivered`, or turn out `failed` with reason `bounced`."
        ),
        answers={200: DeliveryDetailOut},
    )
    async def get(self, request: ApiRequest, delivery_id: str) -> HttpResponse:
        project_id, row_id = request.caller.project_id, paths.row("dlv", delivery_id)

        def work() -> dict[str, Any]:
            return shown(DeliveryDetailOut, selectors.get_delivery(project_id=project_id, delivery_id=row_id))

        return json_response(await in_thread(work))


class DeliveryRetry(ApiView):
    """`/v1/deliveries/{id}/retry`"""

    scopes = _SCOPES

    @operation(
        tag="Deliveries",
        name="retry_delivery",
        summary="Send a delivery again",
        description="One that failed, expired or was cancelled goes back into the queue with a fresh retry schedule.",
        answers={202: DeliveryOut},
    )
    async def post(self, request: ApiRequest, delivery_id: str) -> HttpResponse:
        project_id, row_id = request.caller.project_id, paths.row("dlv", delivery_id)

        def work() -> Answer:
            return json_answer(out(services.retry_delivery(delivery_id=row_id, project_id=project_id)), 202)

        response = await answer_once(request, project_id, work)
        bell().ring(SEND_TASK)
        return response


class DeliveryReplay(ApiView):
    """`/v1/deliveries/replay`"""

    scopes = _SCOPES

    @operation(
        tag="Deliveries",
        name="replay_deliveries",
        summary="Send many deliveries again",
        description="All that match and have failed, expired or been cancelled, up to `limit`. Needs a state or a time."
        " Each keeps its id, so a webhook its `webhook-id`.",
        request=ReplayIn,
        example={"state": "failed", "channel": "webhook", "since": "2026-01-31T09:00:00+01:00"},
        answers={202: ReplayedOut},
    )
    async def post(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        wanted, batch = split_batch(validated(ReplayIn, self.read(request)))

        def work() -> Answer:
            return replayed(replays.replay_filtered(project_id=project_id, wanted=wanted, **batch))

        response = await answer_once(request, project_id, work)
        bell().ring(SEND_TASK)
        return response


def split_batch(values: dict[str, Any]) -> tuple[selectors.Filter, dict[str, Any]]:
    """What to replay, and how much of it at once."""
    batch: dict[str, Any] = {name: values.pop(name) for name in ("limit", "after") if name in values}
    return cast(selectors.Filter, values), batch


def replayed(done: replays.Replayed) -> Answer:
    """The answer to a replay."""
    return json_answer({"count": done.count, "next": ids.encode("dlv", done.after) if done.after else None}, 202)


def read_filter(query: dict[str, str]) -> selectors.Filter:
    """Which deliveries a query string asks for. Raises `Invalid`."""
    wanted: dict[str, Any] = {name: query[name] for name in _FILTERS if name in query}
    faults = []
    if "state" in wanted and wanted["state"] not in _STATES:
        faults.append(Fault("/state", "Not a state of a delivery."))
    if "endpoint" in wanted and (endpoint := ids.decode("end", wanted["endpoint"])) is None:
        faults.append(Fault("/endpoint", "Not an endpoint's id."))
    elif "endpoint" in wanted:
        wanted["endpoint"] = endpoint
    for name in ("since", "until"):
        if name in wanted:
            try:
                wanted[name] = texts.parse_time(wanted[name])
            except ValueError as error:
                faults.append(Fault(f"/{name}", str(error)))
    if faults:
        raise Invalid(faults)
    return cast(selectors.Filter, wanted)

"""`/v1/callbacks`: who may report what became of sent mail, and the address at which they do."""

from typing import Any

from django.http import HttpResponse

from api import paging, paths
from api.base import ApiRequest, ApiView, bearer, json_response, unauthorized
from api.idempotency import answer_once, json_answer, respond
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.callbacks import CallbackEventsIn, CallbackIn, CallbackMadeOut, CallbackOut, CallbackTakenOut
from api.serializing import shown, validated
from api.throttle import check_rate
from delivery.feedback import callbacks as services
from delivery.feedback.effects import apply_feedback
from delivery.models import CallbackSource
from notifications import ids
from notifications.executor import in_thread
from notifications.intake.requests import Answer

_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


def out(source: CallbackSource) -> dict[str, Any]:
    return shown(CallbackOut, source)


class CallbackCollection(ApiView):
    """`/v1/callbacks`"""

    @operation(
        tag="Callbacks",
        name="list_callbacks",
        summary="List callback sources",
        description="Newest first.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(CallbackOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        page = paging.read_page(read_query(request, paging.PARAMETERS), name="callbacks", project_id=project_id)
        return json_response(await in_thread(paging.cut, services.sources_of(project_id), page, out))

    @operation(
        tag="Callbacks",
        name="create_callback",
        summary="Add a callback source",
        description="The answer holds the secret with which its reports are proven. It is shown this once.",
        request=CallbackIn,
        example={"name": "relay.example.com"},
        answers={201: CallbackMadeOut},
    )
    async def post(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        name = validated(CallbackIn, self.read(request))["name"]

        def work() -> Answer:
            source, secret = services.create_source(project_id=project_id, name=name)
            location = {"Location": f"{request.path}/{ids.encode('cbk', source.id)}"}
            return json_answer({**out(source), "secret": secret}, 201, location)

        return await answer_once(request, project_id, work)


class CallbackItem(ApiView):
    """`/v1/callbacks/{id}`"""

    @operation(tag="Callbacks", name="get_callback", summary="Read a callback source", answers={200: CallbackOut})
    async def get(self, request: ApiRequest, callback_id: str) -> HttpResponse:
        source = await in_thread(
            services.get_source, project_id=request.caller.project_id, source_id=paths.row("cbk", callback_id)
        )
        return json_response(out(source))

    @operation(
        tag="Callbacks",
        name="delete_callback",
        summary="Remove a callback source",
        description="Its reports are refused from now on; what it reported stays.",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, callback_id: str) -> HttpResponse:
        await in_thread(
            services.delete_source, project_id=request.caller.project_id, source_id=paths.row("cbk", callback_id)
        )
        return HttpResponse(status=204)


class CallbackEvents(ApiView):
    """`/v1/callbacks/{id}/events`"""

    security = "callbackSecret"

    async def authorize(self, request: ApiRequest) -> None:
        """The source's signature or secret instead of an API key; which of them was wrong is not told."""
        assert request.resolver_match is not None
        source = await in_thread(
            services.find_sender,
            ids.decode("cbk", request.resolver_match.kwargs["callback_id"]),
            bearer=bearer(request),
            headers={name: request.headers.get(name, "") for name in _SIGNED},
            body=request.body,
        )
        if source is None:
            raise unauthorized(
                "Prove where this is from: by a Standard Webhooks signature, or by the source's own Bearer token."
            )
        check_rate(source.id)
        request.source = source  # type: ignore[attr-defined]

    @operation(
        tag="Callbacks",
        name="report_events",
        summary="Report what became of mail",
        description=(
            "For mail providers. Proven by a Standard Webhooks signature (`webhook-id`, `webhook-timestamp`, "
            "`webhook-signature`: HMAC-SHA256 with the secret) or by the secret as Bearer. A hard bounce fails its delivery as "
            "`bounced` and suppresses the address, a complaint or an unsubscription suppresses it, `delivered` raises the "
            "delivery to `delivered`. An event that is told again changes nothing; one about what is not there is ignored."
        ),
        request=CallbackEventsIn,
        example={
            "events": [
                {
                    "id": "evt-1",
                    "type": "bounce",
                    "delivery_id": "dlv_06dj3k5w8m7q2v4x6y8z0a2c4e",
                    "address": "ada@example.com",
                    "status": "5.1.1",
                    "detail": "550 5.1.1 User unknown",
                    "occurred_at": "2026-01-31T09:00:00Z",
                }
            ]
        },
        answers={202: CallbackTakenOut},
    )
    async def post(self, request: ApiRequest, callback_id: str) -> HttpResponse:
        source: CallbackSource = request.source  # type: ignore[attr-defined]
        events = validated(CallbackEventsIn, self.read(request))["events"]

        def work() -> Answer:
            found = [services.feedback_of(source, event) for event in events]
            apply_feedback([item for item in found if item is not None], project_id=source.project_id)
            return json_answer({"received": len(events)}, 202)

        # No Idempotency-Key: keys are the project's, and a provider's must not meet them. Events are known by their own ids.
        return respond(await in_thread(work))

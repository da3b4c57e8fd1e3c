"""Reading and cancelling what was accepted: `/v1/notifications/{id}` and its like."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter

from api import paging, paths
from api.acknowledging import acknowledge_for
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.deliveries import DeliveryOut
from api.serializers.explanations import ExplanationOut
from api.serializers.notifications import (
    AcknowledgedOut,
    AcknowledgeIn,
    CancelIn,
    CancelledOut,
    NotificationDetailOut,
    NotificationOut,
)
from api.serializing import shown, validated
from delivery import selectors as delivery_selectors
from delivery.explain.reading import explain_notification
from delivery.models import Delivery
from delivery.services import cancel_notification, cancel_notifications
from notifications import selectors
from notifications.executor import in_thread
from notifications.intake.requests import Answer
from notifications.models import Notification
from notifications.services.acknowledgements import acknowledge

_SCOPES = {"GET": "notifications:read", "POST": "notifications:write"}


def out(notification: Notification) -> dict[str, Any]:
    return shown(NotificationOut, notification)


def delivery_out(delivery: Delivery) -> dict[str, Any]:
    return shown(DeliveryOut, delivery)


async def list_notifications(request: ApiRequest) -> HttpResponse:
    """One page of a project's notifications."""
    project_id = request.caller.project_id
    page = paging.read_page(read_query(request, paging.PARAMETERS), name="notifications", project_id=project_id)
    return json_response(await in_thread(paging.cut, selectors.notifications_of(project_id), page, out))


class NotificationItem(ApiView):
    """`/v1/notifications/{id}`"""

    scopes = _SCOPES

    @operation(
        tag="Notifications",
        name="get_notification",
        summary="Read a notification",
        description="With the number of its deliveries in each state.",
        answers={200: NotificationDetailOut},
    )
    async def get(self, request: ApiRequest, notification_id: str) -> HttpResponse:
        project_id, row_id = request.caller.project_id, paths.row("ntf", notification_id)

        def work() -> dict[str, Any]:
            notification = selectors.get_notification(project_id=project_id, notification_id=row_id)
            return {**out(notification), "deliveries": delivery_selectors.count_states(row_id)}

        return json_response(await in_thread(work))


class NotificationDeliveries(ApiView):
    """`/v1/notifications/{id}/deliveries`"""

    scopes = _SCOPES

    @operation(
        tag="Notifications",
        name="list_notification_deliveries",
        summary="List a notification's deliveries",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(DeliveryOut)},
    )
    async def get(self, request: ApiRequest, notification_id: str) -> HttpResponse:
        project_id, row_id = request.caller.project_id, paths.row("ntf", notification_id)
        query = read_query(request, paging.PARAMETERS)
        page = paging.read_page(query, name=f"deliveries:{row_id.hex}", project_id=project_id)

        def work() -> dict[str, Any]:
            selectors.get_notification(project_id=project_id, notification_id=row_id)
            rows = delivery_selectors.deliveries_of(row_id).select_related("recipient")
            return paging.cut(rows, page, delivery_out)

        return json_response(await in_thread(work))


class NotificationExplain(ApiView):
    """`/v1/notifications/{id}/explain`"""

    scopes = _SCOPES

    @operation(
        tag="Notifications",
        name="explain_notification",
        summary="Explain a notification",
        description=(
            "Every decision and attempt so far, as codes for machines, each with a sentence for people: how it was accepted and "
            "routed, why each channel of each recipient was or was not used, what was tried, what comes next and why then."
        ),
        parameters=[
            OpenApiParameter("recipient", str, description="Only the deliveries to the recipient with this id."),
            *LIST_PARAMETERS,
        ],
        answers={200: ExplanationOut},
    )
    async def get(self, request: ApiRequest, notification_id: str) -> HttpResponse:
        project_id, row_id = request.caller.project_id, paths.row("ntf", notification_id)
        query = read_query(request, paging.PARAMETERS | {"recipient"})
        recipient = query.get("recipient")
        page = paging.read_page(query, name=f"explain:{row_id.hex}:{recipient or ''}", project_id=project_id)

        def work() -> dict[str, Any]:
            notification = selectors.get_notification(project_id=project_id, notification_id=row_id)
            return explain_notification(
                notification, recipient=recipient, page=lambda rows, out: paging.cut(rows, page, out)
            )

        return json_response(await in_thread(work))


class NotificationCancel(ApiView):
    """`/v1/notifications/{id}/cancel`"""

    scopes = _SCOPES

    @operation(
        tag="Notifications",
        name="cancel_notification",
        summary="Cancel a notification",
        description="Stops what has not gone out. 409 when everything has.",
        answers={200: CancelledOut},
    )
    async def post(self, request: ApiRequest, notification_id: str) -> HttpResponse:
        project_id, row_id = request.caller.project_id, paths.row("ntf", notification_id)

        def work() -> Answer:
            cancelled = cancel_notification(notification_id=row_id, project_id=project_id)
            return json_answer({"notifications": 1, "cancelled_deliveries": cancelled})

        return await answer_once(request, project_id, work)


class NotificationAcknowledge(ApiView):
    """`/v1/notifications/{id}/acknowledge`"""

    scopes = _SCOPES

    @operation(
        tag="Notifications",
        name="acknowledge_notification",
        summary="Say that somebody takes care",
        description="What escalates stops, and the recipient's message in the inbox is acknowledged. The first who says so stays; saying it"
        " again changes nothing. Recipients can do the same by the link `acknowledge_url` of a template, and in their inbox.",
        request=AcknowledgeIn,
        example={"recipient": "lead"},
        answers={200: AcknowledgedOut},
    )
    async def post(self, request: ApiRequest, notification_id: str) -> HttpResponse:
        project_id, row_id = request.caller.project_id, paths.row("ntf", notification_id)
        by = validated(AcknowledgeIn, self.read_optional(request)).get("recipient")

        def work() -> Answer:
            row = acknowledge(notification_id=row_id, project_id=project_id, external_id=by)
            return json_answer(shown(AcknowledgedOut, row))

        answer = await answer_once(request, project_id, work)
        if by is not None:
            # After the answer is kept, and again with each replay: said again it changes nothing.
            await acknowledge_for(by, project_id=project_id, notification_id=row_id)
        return answer


class NotificationCancelByKey(ApiView):
    """`/v1/notifications/cancel`"""

    scopes = _SCOPES

    @operation(
        tag="Notifications",
        name="cancel_notifications",
        summary="Cancel by cancellation key",
        description="Every notification that was sent with this `cancellation_key`. None at all is no error.",
        request=CancelIn,
        example={"cancellation_key": "order-17"},
        answers={200: CancelledOut},
    )
    async def post(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        key = validated(CancelIn, self.read(request))["cancellation_key"]

        def work() -> Answer:
            found = selectors.notifications_of(project_id).filter(cancellation_key=key)
            return json_answer({"notifications": found.count(), "cancelled_deliveries": cancel_notifications(found)})

        return await answer_once(request, project_id, work)

"""Accepting notifications: the hot path, so it parses, submits and answers without a serializer."""

from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter

from api.base import ApiRequest, ApiView, json_response
from api.idempotency import read_idempotency
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.plain import PlainAnswer, plain
from api.problems import document_of
from api.queries import read_flag, read_query
from api.serializers.notifications import NotificationOut
from api.serializers.submissions import AcceptedOut, BulkIn, BulkOut, DryRunOut
from api.views.notification_items import list_notifications
from delivery.conf import conf as delivery_conf
from delivery.dry_run import plan_submission
from delivery.runs.rehearsal import rehearse
from notifications import ids, texts
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.errors import Fault, Invalid
from notifications.executor import in_thread
from notifications.intake.process import intake
from notifications.intake.requests import Answer, Request
from notifications.intake.submission import Submission, parse_submission
from notifications.key_cache import Caller

_EXAMPLE = {
    "recipients": ["u1", {"id": "u2", "email": "u2@example.com", "locale": "de"}],
    "content": {
        "title": "Order shipped",
        "body": "Your order **17** is on its way.",
        "action_url": "https://example.com/17",
    },
    # Without a mail server there is no `email` here.
    "channels": [name for name in ("in_app", "email") if name in conf().channels],
    "category": "orders",
    "thread": "order-17",
}
_DRY_RUN = OpenApiParameter("dry_run", bool, description="Show the plan, send nothing.")

_encode = msgspec.json.Encoder().encode


class NotificationCollection(ApiView):
    """`/v1/notifications`"""

    scopes = {"POST": "notifications:write", "GET": "notifications:read"}

    @operation(
        tag="Notifications",
        name="list_notifications",
        summary="List notifications",
        description="Newest first.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(NotificationOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        return await list_notifications(request)

    @operation(
        tag="Notifications",
        name="send_notification",
        summary="Send a notification",
        description=(
            "202 once it is safely in PostgreSQL, and never before. What is said and by which ways is in `content` and `channels`, or "
            "is up to a stored `workflow`, whose schema `data` must fit and whose category it has unless it names one. Recipients are ids, recipients in line (created or "
            "updated on the way) or topics. Mail with a `category` that is not `critical` carries a link to unsubscribe "
            "from that category (RFC 8058); who did is suppressed with the reason `unsubscribed`. With `dry_run=true` the answer is 200 with the plan, and nothing is kept."
        ),
        request={"application/json": {"$ref": "#/components/schemas/NotificationIn"}},
        example=_EXAMPLE,
        parameters=[_DRY_RUN],
        answers={200: DryRunOut, 202: AcceptedOut},
    )
    async def post(self, request: ApiRequest) -> HttpResponse | PlainAnswer:
        """Accept one notification; 202 once it is committed."""
        dry = read_flag(read_query(request, ("dry_run",)), "dry_run")
        idempotency = read_idempotency(request)
        submission = parse_submission(
            self.read(request),
            project_id=request.caller.project_id,
            conf=conf(),
            now=utc_now(),
            key_id=request.caller.key_id,
        )
        if dry:
            return json_response({"dry_run": True, **await _plan(submission)})

        def answer(faults: dict[int, Invalid]) -> Answer:
            if faults:
                raise faults[0]
            accepted = accepted_out(submission)
            return Answer(202, _encode(accepted), {"Location": f"/v1/notifications/{accepted['id']}"})

        return plain(await intake().submit(Request(request.caller.project_id, [submission], answer, idempotency)))


async def _plan(submission: Submission) -> dict[str, Any]:
    if submission.body.workflow is not None:
        return await rehearse(submission, delivery_conf())
    return {"entries": await in_thread(plan_submission, submission), "runs": [], "digests": []}


class NotificationBulk(ApiView):
    """`/v1/notifications/bulk`"""

    scopes = {"POST": "notifications:write"}

    @operation(
        tag="Notifications",
        name="send_notifications",
        summary="Send many notifications",
        description="Up to 1000. One result per entry, in order: what was accepted, or the problem with it.",
        request=BulkIn,
        example={"notifications": [_EXAMPLE]},
        answers={202: BulkOut},
    )
    async def post(self, request: ApiRequest) -> PlainAnswer:
        """Accept many; 202 with one result per entry, in order, each an id or a problem."""
        idempotency = read_idempotency(request)
        entries = _entries(self.read(request))
        parsed = [_parse(entry, request.caller) for entry in entries]
        good = [item for item in parsed if isinstance(item, Submission)]

        def answer(faults: dict[int, Invalid]) -> Answer:
            failed = {id(good[index]): error for index, error in faults.items()}
            results = [_result(item if isinstance(item, Invalid) else failed.get(id(item), item)) for item in parsed]
            return Answer(202, _encode({"data": results}))

        return plain(await intake().submit(Request(request.caller.project_id, good, answer, idempotency)))


def accepted_out(submission: Submission) -> dict[str, str]:
    """What the caller is told of it."""
    return {
        "id": ids.encode("ntf", submission.id),
        "status": "accepted",
        "created_at": texts.format_time(submission.created_at),
    }


def _entries(body: Any) -> list[Any]:
    if not isinstance(body, dict) or set(body) != {"notifications"} or not isinstance(body["notifications"], list):
        raise Invalid([Fault("", 'Send {"notifications": [...]}.')])
    entries: list[Any] = body["notifications"]
    if not 1 <= len(entries) <= conf().max_bulk:
        raise Invalid([Fault("/notifications", f"Needs 1 to {conf().max_bulk} entries.")])
    return entries


def _parse(entry: Any, caller: Caller) -> Submission | Invalid:
    try:
        return parse_submission(entry, project_id=caller.project_id, conf=conf(), now=utc_now(), key_id=caller.key_id)
    except Invalid as error:
        return error


def _result(item: Submission | Invalid) -> dict[str, Any]:
    return document_of(item) if isinstance(item, Invalid) else dict(accepted_out(item))

"""Accepting notifications: the hot path, so it parses, submits and answers without a serializer."""

import hashlib
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from api.base import ApiRequest, ApiView
from api.problems import document_of
from notifications import ids, texts
from notifications.conf import conf
from notifications.errors import Fault, Invalid
from notifications.intake.process import intake
from notifications.intake.submission import Submission, parse_submission, utc_now
from notifications.intake.writer import Answer, Idempotency, Request

_encode = msgspec.json.Encoder().encode


class NotificationCollection(ApiView):
    """`/v1/notifications`"""

    scopes = {"POST": "notifications:write", "GET": "notifications:read"}

    async def post(self, request: ApiRequest) -> HttpResponse:
        """Accept one notification; 202 once it is committed."""
        idempotency = read_idempotency(request)
        submission = parse_submission(
            self.read(request), project_id=request.caller.project_id, conf=conf(), now=utc_now()
        )

        def answer(faults: dict[int, Invalid]) -> Answer:
            if faults:
                raise faults[0]
            accepted = _accepted(submission)
            return Answer(202, _encode(accepted), {"Location": f"/v1/notifications/{accepted['id']}"})

        return respond(
            await intake().submit(Request(request.caller.project_id, [submission], answer, idempotency))
        )


class NotificationBulk(ApiView):
    """`/v1/notifications/bulk`"""

    scopes = {"POST": "notifications:write"}

    async def post(self, request: ApiRequest) -> HttpResponse:
        """Accept many; 202 with one result per entry, in order, each an id or a problem."""
        idempotency = read_idempotency(request)
        entries = _entries(self.read(request))
        parsed = [_parse(entry, request.caller.project_id) for entry in entries]
        good = [item for item in parsed if isinstance(item, Submission)]

        def answer(faults: dict[int, Invalid]) -> Answer:
            failed = {id(good[index]): error for index, error in faults.items()}
            results = [_result(item if isinstance(item, Invalid) else failed.get(id(item), item)) for item in parsed]
            return Answer(202, _encode({"data": results}))

        return respond(await intake().submit(Request(request.caller.project_id, good, answer, idempotency)))


def read_idempotency(request: HttpRequest) -> Idempotency | None:
    """The request's `Idempotency-Key` with the fingerprint of what it asks. Raises `Invalid`."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid([Fault("", "Idempotency-Key must be 1 to 255 printable characters.")])
    asked = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return Idempotency(key, hashlib.sha256(asked).hexdigest())


def respond(answer: Answer) -> HttpResponse:
    """An intake answer as a response."""
    response = HttpResponse(
        answer.body, status=answer.status, content_type="application/json", headers=answer.headers
    )
    if answer.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def _accepted(submission: Submission) -> dict[str, str]:
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


def _parse(entry: Any, project_id: Any) -> Submission | Invalid:
    try:
        return parse_submission(entry, project_id=project_id, conf=conf(), now=utc_now())
    except Invalid as error:
        return error


def _result(item: Submission | Invalid) -> dict[str, Any]:
    return document_of(item) if isinstance(item, Invalid) else dict(_accepted(item))

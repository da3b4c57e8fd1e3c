"""`/demo`: a newcomer presses a button, or writes a notification, and watches what becomes of it.

The page holds no API key. Its own requests are allowed by `access` and protected by Django's CSRF token; what they
submit goes through the same checks and the same intake as `POST /v1/notifications`, in the first project.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from api.acknowledging import acknowledge_for
from delivery.conf import conf as delivery_conf
from delivery.models import Delivery
from delivery.runs.rehearsal import rehearse
from deploy.pages import mailbox
from deploy.pages.pages import guarded, page
from deploy.pages.scenes import SCENES, publish_scene, request_of, scene_of
from deploy.pages.story import plan_lines, tell
from notifications import ids, texts
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.errors import Fault, Invalid, Unavailable
from notifications.executor import in_thread
from notifications.intake.process import intake
from notifications.intake.requests import Answer, Request
from notifications.intake.submission import Submission, parse_submission
from notifications.models import Notification, Project
from notifications.services.acknowledgements import acknowledge as acknowledge_notification
from notifications.services.recipients import ensure_recipient
from notifications.tokens import issue_token

_TICKED: Final = ("in_app", "email")
_MAILS_SHOWN: Final = 8
_DELIVERIES_SHOWN: Final = 20


@require_safe
@guarded
def demo(request: HttpRequest) -> HttpResponse:
    """The page itself; `demo.js` does the rest."""
    context = {
        "catching": bool(settings.CARILLON_MAIL_DIR),
        "channels": [(channel, channel in _TICKED) for channel in sorted(conf().channels, key=_by_interest)],
        "scenes": SCENES,
        "urls": {
            "token": reverse("demo-token"),
            "send": reverse("demo-send"),
            "scene": reverse("demo-scene", args=["KEY"]),
            "story": reverse("demo-story", args=["ID"]),
            "acknowledge": reverse("demo-acknowledge", args=["ID"]),
            "deliveries": reverse("demo-deliveries", args=["ID"]),
            "mail": reverse("demo-mail"),
        },
        "api_url": f"{request.scheme}://{request.get_host()}/v1/notifications",
    }
    return page(request, "demo", context)


@require_POST
@guarded
def token(request: HttpRequest) -> HttpResponse:
    """A recipient token for the live inbox; the recipient is made when it is not there yet."""
    try:
        external_id = texts.check_external_id(str(_body(request).get("recipient", "")))
        project = _first_project()
    except ValueError as error:
        return _problem(422, str(error), "/recipient")
    except Invalid as error:
        return _problem(422, error.detail, error.faults[0].pointer)
    recipient = ensure_recipient(project_id=project, external_id=external_id)
    issued, expires_at = issue_token(
        project_id=project,
        recipient_pk=recipient.pk,
        external_id=external_id,
        lifetime_seconds=conf().token_lifetime_seconds,
    )
    return JsonResponse({"token": issued, "expires_at": texts.format_time(expires_at)}, status=201)


@require_POST
@guarded
async def send(request: HttpRequest) -> HttpResponse:
    """Accept one notification as the API does; 202 once it is committed."""
    try:
        project = await in_thread(_first_project)
        return JsonResponse(await _accept(_parsed(project, _body(request)), project), status=202)
    except (Invalid, Unavailable) as error:
        return _refused(error)


@require_POST
@guarded
async def scene(request: HttpRequest, key: str) -> HttpResponse:
    """Play a scene: `{"recipient": {...}, "plan": bool}`. 202 with the request that was made, or 200 with what would happen."""
    found = scene_of(key)
    if found is None:
        return _problem(404, "No such scene.")
    try:
        project = await in_thread(_first_project)
        given = _body(request)
        workflow = await in_thread(partial(publish_scene, found, project_id=project))
        asked = request_of(found, workflow, given.get("recipient") or {})
        submission = _parsed(project, asked)
        if given.get("plan"):
            plan = await rehearse(submission, delivery_conf())
            return JsonResponse({"lines": plan_lines(plan), "request": asked})
        return JsonResponse({**await _accept(submission, project), "request": asked}, status=202)
    except (Invalid, Unavailable) as error:
        return _refused(error)


@require_safe
@guarded
def story(request: HttpRequest, public_id: str) -> HttpResponse:
    """What became of a notification so far, in words."""
    notification = _find(public_id)
    return _problem(404, "No such notification.") if notification is None else JsonResponse(tell(notification))


@require_POST
@guarded
async def acknowledge(request: HttpRequest, public_id: str) -> HttpResponse:
    """`{"recipient": "u1"}` takes care of it, as the link in the mail says."""
    try:
        recipient = texts.check_external_id(str(_body(request).get("recipient", "")))
        notification = await in_thread(_find, public_id)
        if notification is None:
            return _problem(404, "No such notification.")
        await in_thread(acknowledge_notification, notification_id=notification.pk, external_id=recipient)
        await acknowledge_for(recipient, project_id=notification.project_id, notification_id=notification.pk)
    except ValueError as error:
        return _problem(422, str(error), "/recipient")
    except (Invalid, Unavailable) as error:
        return _refused(error)
    return JsonResponse({"acknowledged_by": recipient})


@require_safe
@guarded
def deliveries(request: HttpRequest, public_id: str) -> HttpResponse:
    """How far a notification has come."""
    notification = _find(public_id)
    if notification is None:
        return _problem(404, "No such notification.")
    rows = Delivery.objects.filter(notification_id=notification.pk).order_by("id").prefetch_related("attempts")
    return JsonResponse(
        {
            "status": notification.status,
            "reason": notification.reason,
            "data": [_delivery(row) for row in rows[:_DELIVERIES_SHOWN]],
        }
    )


@require_safe
@guarded
def mail(request: HttpRequest) -> HttpResponse:
    """The newest caught mails to one address."""
    if not settings.CARILLON_MAIL_DIR:
        return JsonResponse({"data": []})
    to = request.GET.get("to", "").strip() or None
    heads = mailbox.newest(Path(settings.CARILLON_MAIL_DIR), limit=_MAILS_SHOWN, to=to)
    return JsonResponse(
        {
            "data": [
                {
                    "url": reverse("dev-mail-page", args=[head.name]),
                    "subject": head.subject,
                    "from": head.sender,
                    "to": head.to,
                    "caught_at": texts.format_time(head.caught_at),
                }
                for head in heads
            ]
        }
    )


def _by_interest(channel: str) -> tuple[int, str]:
    """What can be watched on the page itself comes first."""
    return (_TICKED.index(channel) if channel in _TICKED else len(_TICKED), channel)


def _delivery(row: Delivery) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "channel": row.channel,
        "state": row.state,
        "reason": row.reason,
        "created_at": texts.format_time(row.created_at),
        "finished_at": texts.optional_time(row.finished_at),
        "next_attempt_at": texts.optional_time(row.available_at),
        "attempts": [
            {"number": attempt.number, "outcome": attempt.outcome, "duration_ms": attempt.duration_ms}
            for attempt in row.attempts.all()
        ],
    }


def _body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object sent by the page. Raises `Invalid`."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Invalid([Fault("", "Not JSON.")]) from error
    if not isinstance(body, dict):
        raise Invalid([Fault("", "Not a JSON object.")])
    if fault := texts.deep_fault(body):
        raise Invalid([Fault(*fault)])
    return body


def _parsed(project: UUID, body: dict[str, Any]) -> Submission:
    return parse_submission(body, project_id=project, conf=conf(), now=utc_now())


async def _accept(submission: Submission, project: UUID) -> dict[str, Any]:
    """Committed when this returns. Raises `Invalid` and `Unavailable`."""

    def answer(faults: dict[int, Invalid]) -> Answer:
        if faults:
            raise faults[0]
        return Answer(202, b"")

    await intake().submit(Request(project, [submission], answer))
    return {"id": ids.encode("ntf", submission.id), "status": "accepted"}


def _find(public_id: str) -> Notification | None:
    pk = ids.decode("ntf", public_id)
    return None if pk is None else Notification.objects.filter(pk=pk).first()


def _refused(error: Invalid | Unavailable) -> JsonResponse:
    if isinstance(error, Unavailable):
        return _problem(503, error.detail)
    return _problem(422, error.detail, error.faults[0].pointer if error.faults else "")


def _first_project() -> UUID:
    """Where the demo sends. Raises `Invalid` before the first start has made it."""
    found = Project.objects.order_by("created_at").values_list("id", flat=True).first()
    if found is None:
        raise Invalid([Fault("", "There is no project yet; `make up` makes the first one.")])
    return found


def _problem(status: int, detail: str, pointer: str = "") -> JsonResponse:
    return JsonResponse({"status": status, "detail": detail, "pointer": pointer}, status=status)

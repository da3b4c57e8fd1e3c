"""Looking at templates before they are used: previews, and a sample that is really sent."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse

from api import paths
from api.base import ApiRequest, ApiView
from api.idempotency import answer_once, json_answer, read_idempotency, respond
from api.openapi import operation
from api.serializers.templates import InlineSampleIn, PreviewOut, SampleIn, TestSendIn, TestSentOut
from api.serializing import shown, validated
from api.views.notifications import accepted_out
from delivery.previews import Shown, preview_template
from notifications import template_selectors as selectors
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.errors import Fault, Invalid
from notifications.executor import in_thread
from notifications.intake.process import intake
from notifications.intake.requests import Answer, Request
from notifications.intake.submission import ContentIn, RenderedContentIn, Submission, parse_submission
from notifications.templating.sample import Sample

_SAMPLE = {
    "channel": "email",
    "locale": "de-AT",
    "timezone": "Europe/Vienna",
    "recipient": {"name": "Ada"},
    "data": {"number": 17, "arrives": "2026-01-31", "url": "https://example.com/17"},
}
_INLINE = {"subject": "{{ total_items }} new", "body": "By {{ actors | names: 2 }}"}
_DIGEST = {
    "template": _INLINE,
    "channel": "email",
    "items": [{"actor": {"name": "Ana"}, "data": {}}, {"actor": {"name": "Bo"}, "data": {}}],
}


class InlinePreview(ApiView):
    """`/v1/templates/preview`"""

    scopes = {"POST": "notifications:read"}

    @operation(
        tag="Templates",
        name="preview_inline_template",
        summary="Preview a template that is not stored",
        request=InlineSampleIn,
        example=_DIGEST,
        answers={200: PreviewOut},
    )
    async def post(self, request: ApiRequest) -> HttpResponse:
        values = validated(InlineSampleIn, self.read(request))
        return await _preview(request, values.pop("template"), values)


class TemplatePreview(ApiView):
    """`/v1/templates/{key}/preview`"""

    scopes = {"POST": "notifications:read"}

    @operation(
        tag="Templates",
        name="preview_template",
        summary="Preview a template",
        description="As it would be said on one channel, in one locale. Nothing is sent and nothing kept.",
        request=SampleIn,
        example=_SAMPLE,
        answers={200: PreviewOut},
    )
    async def post(self, request: ApiRequest, template_key: str) -> HttpResponse:
        key = paths.existing_key(template_key)
        await in_thread(selectors.get_template, project_id=request.caller.project_id, key=key)
        return await _preview(request, key, validated(SampleIn, self.read(request)))


class TemplateTestSend(ApiView):
    """`/v1/templates/{key}/test-send`"""

    scopes = {"POST": "notifications:write"}

    @operation(
        tag="Templates",
        name="test_send_template",
        summary="Send a sample",
        description="A notification like any other, with the rendered template as its content; 202 once it is committed.",
        request=TestSendIn,
        example={**_SAMPLE, "to": {"id": "u1", "email": "u1@example.com"}},
        answers={202: TestSentOut},
    )
    async def post(self, request: ApiRequest, template_key: str) -> HttpResponse:
        key, project_id = paths.existing_key(template_key), request.caller.project_id
        idempotency = read_idempotency(request)
        await in_thread(selectors.get_template, project_id=project_id, key=key)
        values = validated(TestSendIn, self.read(request))
        to, data = values.pop("to"), dict(values.get("data", {}))
        said = await in_thread(_shown, project_id, key, values)
        submission = _submission(request, to, values["channel"], data)
        submission.body.content = _content(said)

        def answer(faults: dict[int, Invalid]) -> Answer:
            if faults:
                raise faults[0]
            accepted = accepted_out(submission)
            location = {"Location": f"/v1/notifications/{accepted['id']}"}
            return Answer(202, msgspec.json.encode(accepted), location)

        return respond(await intake().submit(Request(project_id, [submission], answer, idempotency)))


def _submission(request: ApiRequest, to: Any, channel: str, data: dict[str, Any]) -> Submission:
    """A notification to `to`, whose faults are told as those of `/to`."""
    raw = {"recipients": [to], "channels": [channel], "content": {"title": "-"}, "data": data, "critical": True}
    caller = request.caller
    try:
        return parse_submission(raw, project_id=caller.project_id, conf=conf(), now=utc_now(), key_id=caller.key_id)
    except Invalid as error:
        own = [Fault(fault.pointer.replace("/recipients/0", "/to", 1), fault.detail) for fault in error.faults]
        raise Invalid(own) from None


async def _preview(request: ApiRequest, template: Mapping[str, Any] | str, values: dict[str, Any]) -> HttpResponse:
    project_id = request.caller.project_id

    def work() -> Answer:
        return json_answer(shown(PreviewOut, _shown(project_id, template, values)))

    return await answer_once(request, project_id, work)


def _shown(project_id: UUID, template: Mapping[str, Any] | str, values: dict[str, Any]) -> Shown:
    channel = values["channel"]
    if channel not in conf().channels:
        raise Invalid([Fault("/channel", f"No such channel; there are {', '.join(sorted(conf().channels))}.")])
    sample = Sample(**{name: value for name, value in values.items() if name != "channel"})
    return preview_template(project_id, template, channel=channel, sample=sample)


def _content(said: Shown) -> ContentIn:
    content = ContentIn(title=said.title, body=said.body, action_url=said.action_url)
    if said.own_html is None:
        return content
    return RenderedContentIn(**msgspec.structs.asdict(content), html=said.own_html)

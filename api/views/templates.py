"""`/v1/templates`: what is said, in versions."""

from typing import Any

from django.http import HttpResponse

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.templates import TemplateDetailOut, TemplateIn, TemplateOut, TemplateVersionOut
from api.serializing import shown, validated
from notifications import template_selectors as selectors
from notifications.executor import in_thread
from notifications.intake.requests import Answer
from notifications.models import Template, TemplateVersion
from notifications.services import templates as services

_SCOPES = {"GET": "notifications:read", "POST": "admin", "PUT": "admin", "DELETE": "admin"}
_EXAMPLE = {
    "name": "Order shipped",
    "variants": {
        "email": {
            "default": {
                "subject": "Order {{ data.number }} is on its way",
                "body": "Hello {{ recipient.name }},\n\nit arrives on **{{ data.arrives | date }}**.",
                "action_url": "{{ data.url }}",
                "layout": "default",
            },
            "de": {
                "subject": "Bestellung {{ data.number }} ist unterwegs",
                "body": "Hallo {{ recipient.name }},\n\nsie kommt am **{{ data.arrives | date }}** an.",
                "action_url": "{{ data.url }}",
                "layout": "default",
            },
        },
        "default": {"default": {"title": "Order {{ data.number }} is on its way"}},
    },
}


def out(template: Template) -> dict[str, Any]:
    return shown(TemplateOut, template)


def version_out(version: TemplateVersion) -> dict[str, Any]:
    return shown(TemplateVersionOut, version)


class TemplateCollection(ApiView):
    """`/v1/templates`"""

    scopes = _SCOPES

    @operation(
        tag="Templates",
        name="list_templates",
        summary="List templates",
        description="Templates, layouts and partials, the newest first.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(TemplateOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        page = paging.read_page(read_query(request, paging.PARAMETERS), name="templates", project_id=project_id)
        return json_response(await in_thread(paging.cut, selectors.templates_of(project_id), page, out))


class TemplateItem(ApiView):
    """`/v1/templates/{key}`"""

    scopes = _SCOPES

    @operation(tag="Templates", name="get_template", summary="Read a template", answers={200: TemplateDetailOut})
    async def get(self, request: ApiRequest, template_key: str) -> HttpResponse:
        template = await in_thread(
            selectors.get_template, project_id=request.caller.project_id, key=paths.existing_key(template_key)
        )
        return json_response(shown(TemplateDetailOut, template))

    @operation(
        tag="Templates",
        name="put_template",
        summary="Create or change a template",
        description=(
            "Checked whole before anything is kept: syntax, filters, variables, layouts and partials. What differs from the "
            "version in use becomes the next version and is used from then on. Texts are Liquid with the variables `data`, "
            "`recipient`, `actor`, `workflow`, `category`, `notification`, `project`, `brand`, `now`, `unsubscribe_url`, "
            "`preferences_url`, `acknowledge_url`, and in digests `items`, `total_items`, `actors`, `total_actors`, `groups`. "
            "Whatever a variable holds is shown as text: it cannot become Markdown or HTML."
        ),
        request=TemplateIn,
        example=_EXAMPLE,
        answers={200: TemplateDetailOut, 201: TemplateDetailOut},
    )
    async def put(self, request: ApiRequest, template_key: str) -> HttpResponse:
        values = validated(TemplateIn, self.read(request))
        template, created = await in_thread(
            services.put_template,
            project_id=request.caller.project_id,
            key=paths.new_key(template_key),
            **values,
        )
        return json_response(shown(TemplateDetailOut, template), 201 if created else 200)

    @operation(
        tag="Templates",
        name="delete_template",
        summary="Remove a template",
        description="With all its versions. 409 while another template, or a workflow in use, names it: the problem says which.",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, template_key: str) -> HttpResponse:
        await in_thread(
            services.delete_template, project_id=request.caller.project_id, key=paths.existing_key(template_key)
        )
        return HttpResponse(status=204)


class TemplateVersions(ApiView):
    """`/v1/templates/{key}/versions`"""

    scopes = _SCOPES

    @operation(
        tag="Templates",
        name="list_template_versions",
        summary="List a template's versions",
        description="Newest first.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(TemplateVersionOut)},
    )
    async def get(self, request: ApiRequest, template_key: str) -> HttpResponse:
        project_id, key = request.caller.project_id, paths.existing_key(template_key)
        page = paging.read_page(
            read_query(request, paging.PARAMETERS), name=f"template versions:{key}", project_id=project_id
        )

        def work() -> dict[str, Any]:
            return paging.cut(selectors.versions_of(project_id=project_id, key=key), page, version_out)

        return json_response(await in_thread(work))


class TemplateVersionItem(ApiView):
    """`/v1/templates/{key}/versions/{number}`"""

    scopes = _SCOPES

    @operation(
        tag="Templates",
        name="get_template_version",
        summary="Read a version of a template",
        answers={200: TemplateVersionOut},
    )
    async def get(self, request: ApiRequest, template_key: str, version_number: str) -> HttpResponse:
        version = await in_thread(
            selectors.get_version,
            project_id=request.caller.project_id,
            key=paths.existing_key(template_key),
            number=paths.version_number(version_number),
        )
        return json_response(version_out(version))


class TemplateVersionPublication(ApiView):
    """`/v1/templates/{key}/versions/{number}/publish`"""

    scopes = _SCOPES

    @operation(
        tag="Templates",
        name="publish_template_version",
        summary="Use this version",
        description="From now on; an older one, too. 409 where a layout or partial that it uses is gone.",
        answers={200: TemplateDetailOut},
    )
    async def post(self, request: ApiRequest, template_key: str, version_number: str) -> HttpResponse:
        project_id = request.caller.project_id
        key, number = paths.existing_key(template_key), paths.version_number(version_number)

        def work() -> Answer:
            return json_answer(
                shown(TemplateDetailOut, services.publish_version(project_id=project_id, key=key, number=number))
            )

        return await answer_once(request, project_id, work)

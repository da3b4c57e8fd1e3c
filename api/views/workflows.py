"""`/v1/workflows` and their versions."""

from typing import Any

from django.http import HttpResponse

from api import paging, paths
from api.base import ApiRequest, ApiView, json_response
from api.idempotency import answer_once, json_answer
from api.openapi import LIST_PARAMETERS, operation, page_of
from api.queries import read_query
from api.serializers.workflows import (
    WorkflowDetailOut,
    WorkflowOut,
    WorkflowVersionDetailOut,
    WorkflowVersionOut,
)
from api.serializing import shown
from notifications.conf import conf
from notifications.decoding import convert
from notifications.executor import in_thread
from notifications.intake.requests import Answer
from notifications.models import Workflow, WorkflowVersion
from notifications.services import workflows as services
from notifications.workflows import selectors
from notifications.workflows.shapes import SavedWorkflowIn

_SCOPES = {"GET": "notifications:read", "PUT": "admin", "POST": "admin", "DELETE": "admin"}
_EXAMPLE = {
    "name": "Comments",
    "category": "collab",
    "schema": {"type": "object", "required": ["thread"], "properties": {"thread": {"type": "string"}}},
    "steps": [
        {
            "key": "bell",
            "type": "in_app",
            "template": {"title": "{{ actor.name }} commented", "body": "{{ data.text }}"},
        },
        {"key": "wait", "type": "digest", "digest_key": "{{ data.thread }}", "window": {"for": "PT30M"}},
        # Without a mail server there is no `email` here.
        *(
            {
                "key": name,
                "type": name,
                "if": {"!": {"var": "steps.bell.seen"}},
                "template": {"subject": "{{ total_items }} new comments", "body": "By {{ actors | names: 2 }}."},
            }
            for name in ("email",)
            if name in conf().channels
        ),
    ],
}


def out(workflow: Workflow) -> dict[str, Any]:
    return shown(WorkflowOut, workflow)


def version_out(version: WorkflowVersion) -> dict[str, Any]:
    return shown(WorkflowVersionOut, version)


class WorkflowCollection(ApiView):
    """`/v1/workflows`"""

    scopes = _SCOPES

    @operation(
        tag="Workflows",
        name="list_workflows",
        summary="List workflows",
        description="Newest first, archived ones too.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(WorkflowOut)},
    )
    async def get(self, request: ApiRequest) -> HttpResponse:
        project_id = request.caller.project_id
        page = paging.read_page(read_query(request, paging.PARAMETERS), name="workflows", project_id=project_id)
        return json_response(await in_thread(paging.cut, selectors.workflows_of(project_id), page, out))


class WorkflowItem(ApiView):
    """`/v1/workflows/{key}`"""

    scopes = _SCOPES

    @operation(tag="Workflows", name="get_workflow", summary="Read a workflow", answers={200: WorkflowDetailOut})
    async def get(self, request: ApiRequest, workflow_key: str) -> HttpResponse:
        workflow = await in_thread(
            selectors.get_workflow, project_id=request.caller.project_id, key=paths.existing_key(workflow_key)
        )
        return json_response(shown(WorkflowDetailOut, workflow))

    @operation(
        tag="Workflows",
        name="put_workflow",
        summary="Publish a workflow",
        description=(
            "Checks the definition and publishes it as a new version, which new notifications follow from then on; those under "
            "way keep theirs. What is published already is not published again. With `draft` it is only saved. Durations are "
            "ISO 8601, texts are Liquid, conditions are JSON Logic. Faults name the step, also where a stored template that it "
            "names is not there."
        ),
        request={"application/json": {"$ref": "#/components/schemas/SavedWorkflowIn"}},
        example=_EXAMPLE,
        answers={200: WorkflowDetailOut, 201: WorkflowDetailOut},
    )
    async def put(self, request: ApiRequest, workflow_key: str) -> HttpResponse:
        project_id, key = request.caller.project_id, paths.new_key(workflow_key)
        body = self.read(request)
        draft = convert(body, SavedWorkflowIn).draft
        definition = {name: value for name, value in body.items() if name != "draft"}

        def work() -> tuple[dict[str, Any], bool]:
            created = services.put_workflow(project_id=project_id, key=key, definition=definition, draft=draft)
            return shown(WorkflowDetailOut, selectors.get_workflow(project_id=project_id, key=key)), created

        workflow, created = await in_thread(work)
        return json_response(workflow, 201 if created else 200)

    @operation(
        tag="Workflows",
        name="archive_workflow",
        summary="Archive a workflow",
        description="New notifications are refused, those under way go on. Publishing brings it back.",
        answers={204: None},
    )
    async def delete(self, request: ApiRequest, workflow_key: str) -> HttpResponse:
        await in_thread(
            services.archive_workflow,
            project_id=request.caller.project_id,
            key=paths.existing_key(workflow_key),
        )
        return HttpResponse(status=204)


class WorkflowVersionCollection(ApiView):
    """`/v1/workflows/{key}/versions`"""

    scopes = _SCOPES

    @operation(
        tag="Workflows",
        name="list_workflow_versions",
        summary="List a workflow's versions",
        description="Newest first.",
        parameters=LIST_PARAMETERS,
        answers={200: page_of(WorkflowVersionOut)},
    )
    async def get(self, request: ApiRequest, workflow_key: str) -> HttpResponse:
        project_id, key = request.caller.project_id, paths.existing_key(workflow_key)
        page = paging.read_page(
            read_query(request, paging.PARAMETERS), name=f"workflow-versions:{key}", project_id=project_id
        )

        def work() -> dict[str, Any]:
            return paging.cut(selectors.versions_of(project_id=project_id, key=key), page, version_out)

        return json_response(await in_thread(work))


class WorkflowVersionItem(ApiView):
    """`/v1/workflows/{key}/versions/{number}`"""

    scopes = _SCOPES

    @operation(
        tag="Workflows",
        name="get_workflow_version",
        summary="Read a version",
        answers={200: WorkflowVersionDetailOut},
    )
    async def get(self, request: ApiRequest, workflow_key: str, version_number: str) -> HttpResponse:
        version = await in_thread(
            selectors.get_version,
            project_id=request.caller.project_id,
            key=paths.existing_key(workflow_key),
            number=paths.version_number(version_number),
        )
        return json_response(shown(WorkflowVersionDetailOut, version))


class WorkflowPublication(ApiView):
    """`/v1/workflows/{key}/versions/{number}/publish`"""

    scopes = _SCOPES

    @operation(
        tag="Workflows",
        name="publish_workflow_version",
        summary="Publish a version",
        description="The draft, or an earlier version again (rolling back).",
        answers={200: WorkflowDetailOut},
    )
    async def post(self, request: ApiRequest, workflow_key: str, version_number: str) -> HttpResponse:
        project_id, key = request.caller.project_id, paths.existing_key(workflow_key)
        number = paths.version_number(version_number)

        def work() -> Answer:
            services.publish_version(project_id=project_id, key=key, number=number)
            return json_answer(shown(WorkflowDetailOut, selectors.get_workflow(project_id=project_id, key=key)))

        return await answer_once(request, project_id, work)

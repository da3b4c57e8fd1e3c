"""Workflows: saved, published, rolled back, archived. Each change is one transaction under the lock of the workflow's row."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from notifications.conf import conf
from notifications.errors import NotFound
from notifications.models import Workflow, WorkflowVersion
from notifications.services.naming import check_named, hold_names
from notifications.workflows.parsing import parse_definition

_State = WorkflowVersion.State


@transaction.atomic
def put_workflow(*, project_id: UUID, key: str, definition: dict[str, Any], draft: bool = False) -> bool:
    """Save the definition as the draft, or publish it as a new version; whether the workflow is new.

    What is published or saved already is not saved again. An archived workflow is in use again once one is published. Raises
    `Invalid`, also for a stored template that is named and not there.
    """
    parse_definition(definition, channels=conf().channels)
    hold_names(project_id)
    check_named(project_id, definition)
    _, created = Workflow.objects.get_or_create(project_id=project_id, key=key)
    workflow = _locked(project_id, key)
    waiting = workflow.versions.filter(state=_State.DRAFT).first()
    if draft:
        if waiting is None or waiting.definition != definition:
            workflow.versions.filter(state=_State.DRAFT).delete()
            workflow.versions.create(number=_next_number(workflow), definition=definition, state=_State.DRAFT)
        return created
    candidates = (workflow.published_version, waiting)
    same = next((version for version in candidates if version and version.definition == definition), None)
    if same is None:  # made as one that held before, for there may be a draft, and one that holds
        same = workflow.versions.create(number=_next_number(workflow), definition=definition, state=_State.SUPERSEDED)
    _publish(workflow, same)
    return created


@transaction.atomic
def publish_version(*, project_id: UUID, key: str, number: int) -> None:
    """Make this version the one that new notifications follow: the draft, or an earlier one again.

    Raises `NotFound`, and `Invalid` when the version does not fit this installation any more or names a template that is gone.
    """
    hold_names(project_id)
    workflow = _locked(project_id, key)
    version = workflow.versions.filter(number=number).first()
    if version is None:
        raise NotFound
    parse_definition(version.definition, channels=conf().channels)
    check_named(project_id, version.definition)
    _publish(workflow, version)


@transaction.atomic
def archive_workflow(*, project_id: UUID, key: str) -> None:
    """Refuse new notifications; those under way go on. Raises `NotFound`."""
    workflow = _locked(project_id, key)
    if workflow.archived_at is None:
        Workflow.objects.filter(id=workflow.id).update(archived_at=Now())


def _locked(project_id: UUID, key: str) -> Workflow:
    found = Workflow.objects.select_for_update(no_key=True).filter(project_id=project_id, key=key).first()
    if found is None:
        raise NotFound
    return found


def _next_number(workflow: Workflow) -> int:
    latest: int = workflow.versions.aggregate(latest=Max("number", default=0))["latest"]
    return latest + 1


def _publish(workflow: Workflow, version: WorkflowVersion) -> None:
    if version.state != _State.PUBLISHED:
        workflow.versions.filter(state=_State.PUBLISHED).update(state=_State.SUPERSEDED)
        workflow.versions.filter(id=version.id).update(state=_State.PUBLISHED, published_at=Now())
    Workflow.objects.filter(id=workflow.id).update(published_version=version, archived_at=None)

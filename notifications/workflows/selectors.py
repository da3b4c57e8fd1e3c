"""Reads of workflows and their versions."""

from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from notifications.errors import NotFound
from notifications.models import Workflow, WorkflowVersion


def draft_number() -> Subquery:
    """For a query of workflows: the number of each one's draft, or null."""
    drafts = WorkflowVersion.objects.filter(workflow=OuterRef("id"), state=WorkflowVersion.State.DRAFT)
    return Subquery(drafts.values("number"))


def workflows_of(project_id: UUID) -> QuerySet[Workflow]:
    """All workflows of a project, archived ones too; each with `draft`, the draft's number or None."""
    rows = Workflow.objects.filter(project_id=project_id).select_related("published_version")
    return rows.annotate(draft=draft_number())


def get_workflow(*, project_id: UUID, key: str) -> Workflow:
    """One workflow, as in `workflows_of`. Raises `NotFound`."""
    workflow = workflows_of(project_id).filter(key=key).first()
    if workflow is None:
        raise NotFound
    return workflow


def versions_of(*, project_id: UUID, key: str) -> QuerySet[WorkflowVersion]:
    """Every version of a workflow. Raises `NotFound` for the workflow."""
    return WorkflowVersion.objects.filter(workflow=get_workflow(project_id=project_id, key=key))


def get_version(*, project_id: UUID, key: str, number: int) -> WorkflowVersion:
    """One version. Raises `NotFound`."""
    version = versions_of(project_id=project_id, key=key).filter(number=number).first()
    if version is None:
        raise NotFound
    return version

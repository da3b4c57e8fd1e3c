"""What is answered about workflows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .result import Result


class Workflow(Result, frozen=True, kw_only=True):
    """What to do for one kind of event. `published` and `draft` are numbers of versions."""

    key: str
    created_at: datetime
    name: str | None = None
    category: str | None = None
    critical: bool = False
    published: int | None = None
    draft: int | None = None
    archived_at: datetime | None = None


class WorkflowDetail(Workflow, frozen=True, kw_only=True):
    """What to do for one kind of event, and how: the published definition."""

    definition: dict[str, Any] | None = None


class WorkflowVersion(Result, frozen=True, kw_only=True):
    """One version of a workflow; `state` is draft, published or superseded."""

    number: int
    state: str
    name: str
    created_at: datetime
    published_at: datetime | None = None


class WorkflowVersionDetail(WorkflowVersion, frozen=True, kw_only=True):
    """One version of a workflow, with its definition as it was given."""

    definition: dict[str, Any]

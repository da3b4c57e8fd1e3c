"""`/v1/workflows` and their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .operations import DriverT, Resource, listing, operation
from .requests import Request, delete, get, given, path, post, put
from .result import Page
from .workflow_results import Workflow, WorkflowDetail, WorkflowVersion, WorkflowVersionDetail


class Workflows(Resource[DriverT]):
    """What to do for each kind of event."""

    @listing
    def list(self, *, page_size: int = 100, after: str | None = None) -> Request[Page[Workflow]]:
        """All workflows, newest first."""
        return get(path("workflows"), Page[Workflow], limit=page_size, after=after)

    @operation
    def get(self, key: str) -> Request[WorkflowDetail]:
        """One workflow with its published definition."""
        return get(path("workflows", key), WorkflowDetail)

    @operation
    def put(
        self,
        key: str,
        *,
        name: str,
        steps: Sequence[Mapping[str, Any]],
        category: str | None = None,
        critical: bool = False,
        schema: Mapping[str, Any] | None = None,
        draft: bool = False,
    ) -> Request[WorkflowDetail]:
        """Publish this as a new version, or only save it as the draft. What is published already is not published again."""
        body = {"name": name, "steps": steps, "category": category, "schema": schema, "critical": critical or None}
        return put(path("workflows", key), {**given(body), "draft": draft}, WorkflowDetail)

    @operation
    def archive(self, key: str) -> Request[None]:
        """Refuse new notifications; those under way go on, and publishing brings it back."""
        return delete(path("workflows", key))

    @listing
    def versions(self, key: str, *, page_size: int = 100, after: str | None = None) -> Request[Page[WorkflowVersion]]:
        """All versions, newest first."""
        return get(path("workflows", key, "versions"), Page[WorkflowVersion], limit=page_size, after=after)

    @operation
    def version(self, key: str, number: int) -> Request[WorkflowVersionDetail]:
        """One version with its definition."""
        return get(path("workflows", key, "versions", str(number)), WorkflowVersionDetail)

    @operation
    def publish(self, key: str, number: int, *, idempotency_key: str | None = None) -> Request[WorkflowDetail]:
        """Publish the draft, or an earlier version again."""
        return post(path("workflows", key, "versions", str(number), "publish"), None, WorkflowDetail, idempotency_key)

"""Workflows as they go out; how they come in is said by `notifications/workflows/shapes.py`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import FreeObject, Time
from notifications.models import Workflow, WorkflowVersion


class WorkflowOut(serializers.Serializer[Any]):
    """What to do for one kind of event."""

    key = serializers.CharField()
    name = serializers.CharField(source="published_version.definition.name", default=None, allow_null=True)
    category = serializers.CharField(source="published_version.definition.category", default=None, allow_null=True)
    critical = serializers.BooleanField(source="published_version.definition.critical", default=False)
    published = serializers.IntegerField(
        source="published_version.number",
        default=None,
        allow_null=True,
        help_text="The number of the version that new notifications follow; null: there is only a draft.",
    )
    draft = serializers.IntegerField(allow_null=True, help_text="The number of the draft, where there is one.")
    archived_at = Time(allow_null=True, help_text="New notifications are refused since; null: in use.")
    created_at = Time()


class WorkflowDetailOut(WorkflowOut):
    """What to do for one kind of event, and how."""

    definition = serializers.SerializerMethodField(help_text="The published one; null: there is only a draft.")

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": {}})
    def get_definition(self, workflow: Workflow) -> dict[str, Any] | None:
        version = workflow.published_version
        return None if version is None else dict(version.definition)


class WorkflowVersionOut(serializers.Serializer[Any]):
    """One version of a workflow."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=WorkflowVersion.State.choices)
    name = serializers.CharField(source="definition.name")
    created_at = Time()
    published_at = Time(allow_null=True, help_text="When last; null: never.")


class WorkflowVersionDetailOut(WorkflowVersionOut):
    """One version of a workflow, whole."""

    definition = FreeObject(help_text="As it was given.")

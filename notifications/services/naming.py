"""What names a stored template, and whether it is there to be named.

What is named stays: whoever makes something name a template, and whoever removes one, holds the project's names meanwhile.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, F, Func, JSONField, Value

from notifications.errors import Fault, Invalid
from notifications.models import Project, Template, Workflow
from notifications.workflows.naming import templates_named

_NAMED_IN_STEP: Final = "$.steps[*] ? (@.template == $key || @.templates.* == $key)"


def hold_names(project_id: UUID) -> None:
    """Nobody else changes what names what until the transaction ends. Taken before any other lock; accepting does not wait for it."""
    Project.objects.select_for_update(no_key=True).filter(id=project_id).values_list("id").first()


def check_named(project_id: UUID, definition: Mapping[str, Any]) -> None:
    """Raises `Invalid` where the workflow names a template that is not there. Its names are held."""
    namings = list(templates_named(definition))
    if not namings:
        return
    stored = Template.objects.filter(
        project_id=project_id, key__in={naming.template for naming in namings}, published__isnull=False
    )
    kinds = dict(stored.values_list("key", "kind"))
    faults = [
        Fault(naming.pointer, f"Step {naming.step!r}: {_why(naming.template, kinds.get(naming.template))}")
        for naming in namings
        if kinds.get(naming.template) != Template.Kind.TEMPLATE
    ]
    if faults:
        raise Invalid(faults)


def namer_of(template: Template) -> str | None:
    """Another template, or a workflow in use, that names it as published: `The workflow comment`."""
    templates = Template.objects.filter(
        project_id=template.project_id, published__references__contains=[template.key]
    ).exclude(id=template.id)
    if (key := templates.values_list("key", flat=True).first()) is not None:
        return f"The template {key}"
    names_it: Any = Func(
        F("published_version__definition"),
        Func(Value(_NAMED_IN_STEP), template="(%(expressions)s)::jsonpath"),
        Value({"key": template.key}, JSONField()),
        function="jsonb_path_exists",
        output_field=BooleanField(),
    )
    workflows = Workflow.objects.filter(names_it, project_id=template.project_id, archived_at__isnull=True)
    key = workflows.values_list("key", flat=True).first()
    return None if key is None else f"The workflow {key}"


def _why(key: str, kind: str | None) -> str:
    return f"There is no template {key}." if kind is None else f"{key} is a {kind}, not a template."

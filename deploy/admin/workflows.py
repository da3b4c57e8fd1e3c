"""Workflows: what each of them does, drawn step by step, its versions, and which of them holds."""

from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from delivery.models import Run
from deploy.admin import display
from deploy.admin.base import ReadOnlyAdmin, back_to, button, log_operated
from deploy.admin.step_cards import Card, cards
from notifications.errors import Invalid
from notifications.models import Notification, Workflow, WorkflowVersion
from notifications.services import workflows as services
from notifications.workflows import selectors
from notifications.workflows.parsing import parse_definition
from schedules.models import Digest

_TONES = {"draft": "warning", "published": "success", "superseded": ""}
_VERSIONS_SHOWN = 20
_TRAFFIC: Final[tuple[tuple[type[Model], str], ...]] = (
    (Notification, "Notifications"),
    (Run, "Runs"),
    (Digest, "Digests"),
)


def _cards(version: WorkflowVersion | None) -> list[Card] | None:
    """None where an older release stored what this one cannot read: then the JSON has to do."""
    try:
        return [] if version is None else cards(parse_definition(version.definition, channels=None))
    except Invalid:
        return None


@admin.register(Workflow)
class WorkflowAdmin(ReadOnlyAdmin):
    """What to do for one kind of event. Definitions come through the API; here they are read, published and archived."""

    list_display = ("key", "name", "state", "version", "category", "steps", "project_name", "created")
    list_filter = (("archived_at", admin.EmptyFieldListFilter), ("project", admin.RelatedOnlyFieldListFilter))
    search_fields = ("key__istartswith",)
    search_help_text = "Begin of the key"
    actions_detail = ("archive_this", "bring_back_this")
    change_form_outer_before_template = "admin/workflow_steps.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("key", "name"),
                    ("state", "version"),
                    ("category", "critical"),
                    ("project_name", "created"),
                    "traffic",
                )
            },
        ),
        ("Data it asks for (JSON Schema)", {"fields": ("schema",), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("published_version", "project")
        annotated: QuerySet[Any] = rows.annotate(draft=selectors.draft_number())
        return annotated

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only the button that would change something."""
        row = Workflow.objects.filter(pk=object_id).first()
        useful = ""
        if row is not None and row.archived_at is None:
            useful = "archive_this"
        elif row is not None and row.published_version_id is not None:
            useful = "bring_back_this"
        return [
            each
            for each in super().get_actions_detail(request, object_id)
            if useful and each.action_name.endswith(useful)
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        workflow = context.get("original")
        if workflow is not None:
            versions = workflow.versions.order_by("-number")
            shown = workflow.published_version or versions.first()
            context["shown_version"] = shown
            context["cards"] = _cards(shown)
            context["definition"] = shown and shown.definition
            context["versions"] = [(row, _badge(row)) for row in versions.defer("definition")[:_VERSIONS_SHOWN]]
            context["versions_url"] = (
                f"{reverse('admin:notifications_workflowversion_changelist')}?workflow={workflow.pk}"
            )
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="Name")
    def name(self, workflow: Workflow) -> str:
        return str(_said(workflow, "name") or display.NONE)

    @admin.display(description="Category")
    def category(self, workflow: Workflow) -> str:
        return str(_said(workflow, "category") or display.NONE)

    @admin.display(description="Critical")
    def critical(self, workflow: Workflow) -> str:
        return "yes: passes over preferences" if _said(workflow, "critical") else "no"

    @admin.display(description="Steps")
    def steps(self, workflow: Workflow) -> str:
        return " → ".join(str(step.get("type")) for step in _said(workflow, "steps") or ()) or display.NONE

    @admin.display(description="Schema")
    def schema(self, workflow: Workflow) -> SafeString | str:
        return display.pretty(_said(workflow, "schema"))

    @admin.display(description="State")
    def state(self, workflow: Workflow) -> SafeString:
        if workflow.archived_at is not None:
            return display.badge("archived", "")
        return (
            display.badge("in use", "success") if workflow.published_version_id else display.badge("draft", "warning")
        )

    @admin.display(description="Version")
    def version(self, workflow: Any) -> str:
        published = workflow.published_version
        draft = f"draft {workflow.draft}" if workflow.draft else ""
        return ", ".join(filter(None, (str(published.number) if published else "", draft))) or display.NONE

    @admin.display(description="Project")
    def project_name(self, workflow: Workflow) -> str:
        return str(workflow.project)

    @admin.display(description="What follows it")
    def traffic(self, workflow: Workflow) -> SafeString:
        links = ((display.list_link(model, f"workflow={workflow.pk}", text),) for model, text in _TRAFFIC)
        return format_html_join(", ", "{}", links)

    @admin.display(description="Created", ordering="id")
    def created(self, workflow: Workflow) -> SafeString | str:
        return display.time(workflow.created_at)

    @button(
        description="Archive",
        icon="archive",
        danger=True,
        question="New notifications for it are refused from now on; those under way go on.",
    )
    def archive_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = Workflow.objects.get(pk=object_id)
        services.archive_workflow(project_id=row.project_id, key=row.key)
        log_operated(request, Workflow.objects.filter(pk=object_id), "Archived.")
        messages.success(request, "Archived. New notifications for it are refused.")
        return back_to(request, reverse("admin:notifications_workflow_change", args=[object_id]))

    @button(
        description="Bring back",
        icon="unarchive",
        question="New notifications are taken again, by the version that held before.",
    )
    def bring_back_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = Workflow.objects.select_related("published_version").get(pk=object_id)
        if row.published_version is not None:
            _publish(request, row, row.published_version)
        return back_to(request, reverse("admin:notifications_workflow_change", args=[object_id]))


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(ReadOnlyAdmin):
    """One definition, as it was given."""

    list_display = ("workflow", "number", "state_badge", "name", "created", "published")
    list_filter = ("state",)
    list_select_related = ("workflow",)
    search_fields = ("workflow__key__istartswith",)
    search_help_text = "Begin of the workflow's key"
    actions_detail = ("publish_this",)
    change_form_outer_before_template = "admin/workflow_steps.html"
    fieldsets = (
        (None, {"fields": (("workflow_link", "number"), ("state_badge", "name"), ("created", "published"))}),
        ("Definition", {"fields": ("definition_json",), "classes": ("collapse",)}),
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # reached from its workflow

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Nothing to publish where it holds already."""
        row = WorkflowVersion.objects.select_related("workflow").filter(pk=object_id).first()
        holds = row is None or (row.workflow.published_version_id == row.pk and row.workflow.archived_at is None)
        return [] if holds else super().get_actions_detail(request, object_id)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        version = context.get("original")
        if version is not None:
            context["shown_version"] = version
            context["cards"] = _cards(version)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="State", ordering="state")
    def state_badge(self, version: WorkflowVersion) -> SafeString:
        return _badge(version)

    @admin.display(description="Name")
    def name(self, version: WorkflowVersion) -> str:
        return str(version.definition.get("name", display.NONE))

    @admin.display(description="Workflow")
    def workflow_link(self, version: WorkflowVersion) -> SafeString:
        return display.link(Workflow, version.workflow_id, version.workflow.key)

    @admin.display(description="Definition")
    def definition_json(self, version: WorkflowVersion) -> SafeString | str:
        return display.pretty(version.definition)

    @admin.display(description="Created", ordering="id")
    def created(self, version: WorkflowVersion) -> SafeString | str:
        return display.time(version.created_at)

    @admin.display(description="Published", ordering="published_at")
    def published(self, version: WorkflowVersion) -> SafeString | str:
        return display.time(version.published_at)

    @button(
        description="Publish",
        icon="publish",
        question="New notifications follow this version from now on; those under way keep theirs.",
    )
    def publish_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        version = WorkflowVersion.objects.select_related("workflow").get(pk=object_id)
        _publish(request, version.workflow, version)
        return back_to(request, reverse("admin:notifications_workflowversion_change", args=[object_id]))


def _publish(request: HttpRequest, workflow: Workflow, version: WorkflowVersion) -> None:
    try:
        services.publish_version(project_id=workflow.project_id, key=workflow.key, number=version.number)
    except Invalid as error:
        messages.error(request, f"Cannot be published here. {error.detail}")
    else:
        log_operated(request, Workflow.objects.filter(pk=workflow.pk), f"Published version {version.number}.")
        messages.success(request, f"Version {version.number} of {workflow.key} is what new notifications follow.")


def _badge(version: WorkflowVersion) -> SafeString:
    return display.badge(version.state, _TONES.get(version.state, ""))


def _said(workflow: Workflow, name: str) -> Any:
    return workflow.published_version.definition.get(name) if workflow.published_version else None

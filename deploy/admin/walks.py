"""Runs: where recipients stand in workflows, what was decided on the way, and when they go on."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from delivery.explain.walks import explain_run
from delivery.models import Delivery, Run
from delivery.reasons import explain
from deploy.admin import display, search
from deploy.admin.base import ReadOnlyAdmin
from deploy.admin.filters import CreatedFilter, RunStateFilter, VersionWorkflowFilter
from deploy.admin.workflow_names import name_of, step_keys, versions_by_id
from notifications import ids
from notifications.models import WorkflowVersion
from schedules.models import Digest, DigestItem

_DELIVERIES_SHOWN: Final = 50


def marked_steps(run: Run, version: WorkflowVersion | None) -> list[tuple[str, str]]:
    """Each step with whether the walk has it behind, stands at it, or has it ahead; `log` may have jumped over some."""
    keys = [] if version is None else step_keys(version)
    here = run.position if run.state == Run.State.WAITING else len(keys)
    if run.state not in (Run.State.WAITING, Run.State.DONE) or run.reason == "condition_not_met":
        here = run.position  # it ended there
    return [(key, "done" if at < here else "here" if at == here else "ahead") for at, key in enumerate(keys)]


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Walks through workflows that waited or decided something. Who went straight through has none: see the deliveries."""

    list_display = (
        "state_badge",
        "shown_id",
        "workflow",
        "recipient_name",
        "stands",
        "next_or_end",
        "created",
    )
    list_display_links = ("shown_id",)
    list_filter = (
        RunStateFilter,
        VersionWorkflowFilter,
        CreatedFilter,
        ("project", admin.RelatedFieldListFilter),
    )
    search_fields = ("id",)
    search_help_text = "run_…, ntf_…, dig_…, or a recipient's id or email"
    change_form_outer_before_template = "admin/run_walk.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state_badge", "reason_said"),
                    ("workflow", "recipient_name"),
                    ("notification_link", "digest_link"),
                    ("created_exact", "next_exact"),
                    ("expires_exact", "finished_exact"),
                    ("project_name", "shown_id"),
                )
            },
        ),
        ("For machines", {"fields": ("memory_json", "log_json"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("recipient", "project")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.runs(queryset, term) if term else queryset), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the workflows of this page's rows, read at once."""
        page = super().get_changelist_instance(request)
        rows: Any = page.result_list
        versions = versions_by_id(row.version_id for row in rows)
        for row in rows:
            row.known_version = versions.get(row.version_id)
        return page

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        run = context.get("original")
        if run is not None:
            version = _version(run)
            keys = tuple(step_keys(version)) if version is not None else ()
            context["walk"] = explain_run(run, keys) if display.related(run, "recipient") is not None else None
            context["steps"] = marked_steps(run, version)
            context["deliveries"] = list(_deliveries_of(run)[:_DELIVERIES_SHOWN])
            context["deliveries_shown"] = _DELIVERIES_SHOWN
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="State", ordering="state")
    def state_badge(self, run: Run) -> SafeString:
        return display.badge(run.state, display.RUN_TONES.get(run.state, ""))

    @admin.display(description="Run", ordering="id")
    def shown_id(self, run: Run) -> SafeString:
        return display.code(run.public_id)

    @admin.display(description="Workflow")
    def workflow(self, run: Run) -> SafeString | str:
        version = _version(run)
        if version is None:
            return display.NONE
        return display.link(WorkflowVersion, version.pk, f"{name_of(version)}, version {version.number}")

    @admin.display(description="Recipient")
    def recipient_name(self, run: Run) -> SafeString:
        return display.recipient_link(run)

    @admin.display(description="Stands")
    def stands(self, run: Run) -> str:
        """In a few words; the page says it in whole sentences."""
        version = _version(run)
        keys = [] if version is None else step_keys(version)
        if run.state != Run.State.WAITING:
            return run.reason
        what = "collects at" if run.digest_id is not None and (run.memory or {}).get("collects") else "at"
        return f"{what} {keys[run.position]} ({run.position + 1} of {len(keys)})" if run.position < len(keys) else "end"

    @admin.display(description="Next look or end")
    def next_or_end(self, run: Run) -> SafeString | str:
        return display.time(run.available_at or run.finished_at)

    @admin.display(description="Reason")
    def reason_said(self, run: Run) -> str:
        return f"{run.reason}: {explain(run.reason).says}" if run.reason else display.NONE

    @admin.display(description="Notification")
    def notification_link(self, run: Run) -> SafeString:
        return display.notification_link(run.notification_id)

    @admin.display(description="Digest")
    def digest_link(self, run: Run) -> SafeString | str:
        own = run.digest_id
        if own is not None:
            return display.link(Digest, own, ids.encode("dig", own))
        item = DigestItem.objects.filter(notification_id=run.notification_id, recipient_id=run.recipient_id).first()
        return display.NONE if item is None else display.link(Digest, item.digest_id, ids.encode("dig", item.digest_id))

    @admin.display(description="Project")
    def project_name(self, run: Run) -> str:
        return str(display.related(run, "project") or display.NONE)

    @admin.display(description="Begun", ordering="id")
    def created(self, run: Run) -> SafeString | str:
        return display.time(run.created_at)

    @admin.display(description="Begun")
    def created_exact(self, run: Run) -> SafeString | str:
        return display.exact_time(run.created_at)

    @admin.display(description="Goes on")
    def next_exact(self, run: Run) -> SafeString | str:
        return display.exact_time(run.available_at)

    @admin.display(description="Ended")
    def finished_exact(self, run: Run) -> SafeString | str:
        return display.exact_time(run.finished_at)

    @admin.display(description="Expires")
    def expires_exact(self, run: Run) -> SafeString | str:
        return display.exact_time(run.expires_at) if run.expires_at else "never"

    @admin.display(description="What its step has done so far")
    def memory_json(self, run: Run) -> SafeString | str:
        return display.pretty(run.memory)

    @admin.display(description="What it decided")
    def log_json(self, run: Run) -> SafeString | str:
        return display.pretty(run.log)


def _version(run: Any) -> WorkflowVersion | None:
    """Read with the page's other rows, or by itself on the run's own page."""
    if not hasattr(run, "known_version"):
        run.known_version = versions_by_id([run.version_id]).get(run.version_id)
    found: WorkflowVersion | None = run.known_version
    return found


def _deliveries_of(run: Run) -> QuerySet[Delivery]:
    """What this walk said, to others too where it escalated: rounds stand behind a step's key. A digest's deliveries are told
    for each notification in it; those of the one that opened it are the ones that went."""
    rows = Delivery.objects.filter(notification_id=run.notification_id, digest_id=run.digest_id, step__isnull=False)
    own = rows.filter(Q(recipient_id=run.recipient_id) | Q(step__contains="#"))
    return own.order_by("id").prefetch_related("recipient", "endpoint")

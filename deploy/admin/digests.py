"""Digests: what is being collected for whom, when it goes out, and what it would say if it went now."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from delivery.models import Delivery, Run
from delivery.reasons import explain
from delivery.runs.previewing import preview_digest
from deploy.admin import display, search
from deploy.admin.base import ReadOnlyAdmin
from deploy.admin.filters import CreatedFilter, DigestStateFilter, WorkflowFilter
from notifications.models import Notification, Workflow
from schedules.models import Digest, DigestItem

_ITEMS_SHOWN: Final = 50
_QUIET: Final = "~"  # behind a step's key: what was collected in quiet hours


def state_badge(digest: Digest) -> SafeString:
    """Whether it still collects."""
    if digest.closed_at is not None:
        return display.badge("closed", "success")
    return display.badge("open", "info") if digest.joinable else display.badge("closing", "primary")


def place(digest: Digest) -> str:
    """At which step it collects, in words."""
    step, _, quiet = digest.step.partition(_QUIET)
    return f"{step}, in quiet hours" if quiet else step


@admin.register(Digest)
class DigestAdmin(ReadOnlyAdmin):
    """What collects under one key for one recipient, until its window closes."""

    list_display = (
        "state",
        "shown_id",
        "workflow",
        "step_said",
        "key_said",
        "recipient_name",
        "count",
        "closes",
        "opened",
    )
    list_display_links = ("shown_id",)
    list_filter = (DigestStateFilter, WorkflowFilter, CreatedFilter, ("project", admin.RelatedFieldListFilter))
    search_fields = ("id",)
    search_help_text = "dig_…, ntf_… of a notification in it, or a recipient's id or email"
    change_form_outer_before_template = "admin/digest_items.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state", "count"),
                    ("workflow", "step_said"),
                    ("recipient_name", "key_said"),
                    ("closes_exact", "closed_exact"),
                    ("opened_exact", "latest_exact"),
                    ("run_link", "deliveries_link"),
                    ("project_name", "shown_id"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("recipient", "project")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.digests(queryset, term) if term else queryset), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the workflows of this page's rows, read at once."""
        page = super().get_changelist_instance(request)
        rows: Any = page.result_list
        workflows = Workflow.objects.in_bulk({row.workflow_id for row in rows})
        for row in rows:
            row.known_workflow = workflows.get(row.workflow_id)
        return page

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        digest = context.get("original")
        if digest is not None:
            items = DigestItem.objects.filter(digest=digest).order_by("id")
            context["items"] = _shown(list(items[:_ITEMS_SHOWN]))
            context["items_total"] = items.count()
            context["previews"] = preview_digest(digest) if digest.closed_at is None else []
            context["sent"] = list(_went_out(digest)) if digest.closed_at is not None else []
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="State")
    def state(self, digest: Digest) -> SafeString:
        return state_badge(digest)

    @admin.display(description="Digest", ordering="id")
    def shown_id(self, digest: Digest) -> SafeString:
        return display.code(digest.public_id)

    @admin.display(description="Workflow")
    def workflow(self, digest: Any) -> SafeString | str:
        if not hasattr(digest, "known_workflow"):
            digest.known_workflow = Workflow.objects.filter(pk=digest.workflow_id).first()
        found = digest.known_workflow
        return display.NONE if found is None else display.link(Workflow, found.pk, found.key)

    @admin.display(description="Step")
    def step_said(self, digest: Digest) -> str:
        return place(digest)

    @admin.display(description="Key")
    def key_said(self, digest: Digest) -> SafeString | str:
        return display.code(digest.key) if digest.key else "one for everything"

    @admin.display(description="Recipient")
    def recipient_name(self, digest: Digest) -> SafeString:
        return display.recipient_link(digest)

    @admin.display(description="Closes", ordering="closes_at")
    def closes(self, digest: Digest) -> SafeString | str:
        return display.time(digest.closed_at or digest.closes_at)

    @admin.display(description="Opened", ordering="id")
    def opened(self, digest: Digest) -> SafeString | str:
        return display.time(digest.opened_at)

    @admin.display(description="Window ends")
    def closes_exact(self, digest: Digest) -> SafeString | str:
        return display.exact_time(digest.closes_at)

    @admin.display(description="Closed")
    def closed_exact(self, digest: Digest) -> SafeString | str:
        return display.exact_time(digest.closed_at) if digest.closed_at else "not yet"

    @admin.display(description="Opened")
    def opened_exact(self, digest: Digest) -> SafeString | str:
        return display.exact_time(digest.opened_at)

    @admin.display(description="Last one joined")
    def latest_exact(self, digest: Digest) -> SafeString | str:
        return display.exact_time(digest.latest_at)

    @admin.display(description="Its walk")
    def run_link(self, digest: Digest) -> SafeString | str:
        run = Run.objects.filter(digest_id=digest.pk).order_by("id").first()
        return display.NONE if run is None else display.link(Run, run.pk, run.public_id)

    @admin.display(description="Deliveries")
    def deliveries_link(self, digest: Digest) -> SafeString | str:
        if digest.closed_at is None:
            return "none before it closes"
        return display.list_link(Delivery, f"digest_id={digest.pk}", "Deliveries of this digest")

    @admin.display(description="Project")
    def project_name(self, digest: Digest) -> str:
        return str(display.related(digest, "project") or display.NONE)


def _shown(items: list[DigestItem]) -> list[dict[str, Any]]:
    """Items with what happened, in a line; who did it, where that is known."""
    rows = Notification.objects.in_bulk({item.notification_id for item in items})
    return [
        {
            "item": item,
            "link": display.notification_link(item.notification_id),
            "actor": rows[item.notification_id].actor if item.notification_id in rows else None,
            "data": rows[item.notification_id].data if item.notification_id in rows else None,
            "left": explain(item.removed_reason).says if item.removed_at else "",
        }
        for item in items
    ]


def _went_out(digest: Digest) -> QuerySet[Delivery]:
    """Its own deliveries; those of the others in it say only that they went with these."""
    rows = Delivery.objects.filter(digest_id=digest.pk, recipient_id=digest.recipient_id)
    return rows.exclude(reason="sent_in_digest").order_by("id").prefetch_related("recipient", "endpoint")[:20]

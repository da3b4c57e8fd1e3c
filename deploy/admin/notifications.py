"""Notifications: what was said, to whom, and what became of it."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery import services
from delivery.explain.reading import explain_notification
from delivery.models import Delivery, Run
from delivery.states import CANCELLABLE, RETRYABLE
from deploy.admin import display, search
from deploy.admin.base import ReadOnlyAdmin, back_to, button, log_operated
from deploy.admin.filters import CreatedFilter, NotificationProgressFilter, UsesChannelFilter, VersionWorkflowFilter
from deploy.admin.workflow_names import channels_by_notification, name_of, versions_by_id
from notifications.bell import bell
from notifications.errors import Conflict, NotFound
from notifications.events import SEND_TASK
from notifications.models import Notification, Workflow, WorkflowVersion
from schedules.models import Digest

_DELIVERIES_SHOWN: Final = 50
_EXPLAINED: Final = 25


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Accepted requests."""

    list_display = ("status_badge", "shown_id", "title", "to", "channel_list", "project_name", "created")
    list_display_links = ("shown_id", "title")
    list_filter = (
        "status",
        NotificationProgressFilter,
        VersionWorkflowFilter,
        UsesChannelFilter,
        CreatedFilter,
        ("project", admin.RelatedFieldListFilter),
    )
    search_fields = ("id",)
    search_help_text = "ntf_…, dlv_…, a cancellation key, or the id or email of a recipient it was routed to"
    actions = ("retry", "cancel")
    actions_detail = ("retry_this", "cancel_this")
    change_form_outer_before_template = "admin/notification_deliveries.html"
    change_form_outer_after_template = "admin/notification_explained.html"
    fieldsets = (
        ("What is said", {"fields": ("workflow_link", "title", "body", "action_url")}),
        (
            "To whom, how",
            {
                "fields": (
                    ("status_badge", "reason"),
                    ("to", "channel_list"),
                    ("category", "actor"),
                    ("created_exact", "routed_exact"),
                    ("send_exact", "expires_exact"),
                    ("cancellation_key", "critical"),
                    "quiet_hours",
                    ("acknowledged", "walks"),
                    ("project_name", "shown_id"),
                )
            },
        ),
        ("Data", {"fields": ("data_json", "metadata_json"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("project")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A workflow's texts are its templates', so the notification has none of its own."""
        (said, _), *others = super().get_fieldsets(request, obj)
        plain = obj is None or obj.workflow_version_id is None
        fields = ("title", "body", "action_url") if plain else ("workflow_link",)
        return [(said, {"fields": fields}), *others]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the workflows and channels of this page's rows, read at once."""
        page = super().get_changelist_instance(request)
        rows: Any = page.result_list
        versions = versions_by_id(row.workflow_version_id for row in rows)
        bare = [row.pk for row in rows if not row.channels]
        channels = channels_by_notification(bare)
        for row in rows:
            row.known_version = versions.get(row.workflow_version_id)
            row.went_out_on = channels.get(row.pk, [])
        return page

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.notifications(queryset, term) if term else queryset), False

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only the buttons that would change something."""
        of_it = Delivery.objects.filter(notification_id=object_id)
        waiting = Notification.objects.filter(pk=object_id, available_at__isnull=False).exists()
        useless = set() if of_it.filter(state__in=RETRYABLE).exists() else {"notifications_notification_retry_this"}
        if not waiting and not of_it.filter(state__in=CANCELLABLE).exists():
            useless.add("notifications_notification_cancel_this")
        return [each for each in super().get_actions_detail(request, object_id) if each.action_name not in useless]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        notification = context.get("original")
        if notification is not None:
            rows = Delivery.objects.filter(notification_id=notification.pk)
            states = rows.order_by("state").values_list("state").annotate(count=Count("id"))
            context["state_counts"] = [(state, display.tone(state), count) for state, count in states]
            context["deliveries"] = list(
                rows.order_by("id").prefetch_related("recipient", "endpoint", "attempts")[:_DELIVERIES_SHOWN]
            )
            context["deliveries_total"] = sum(count for *_, count in context["state_counts"])
            context |= _explained(notification, request.GET.get("recipient", "").strip())
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="Status", ordering="status")
    def status_badge(self, notification: Notification) -> SafeString:
        return display.badge(notification.status)

    @admin.display(description="Notification", ordering="id")
    def shown_id(self, notification: Notification) -> SafeString:
        return display.code(notification.public_id)

    @admin.display(description="Title")
    def title(self, notification: Any) -> SafeString | str:
        """A workflow's notification has no text of its own and goes by the workflow's name."""
        version = getattr(notification, "known_version", None)
        if version is not None:
            return format_html('{} <span class="crl-soft">workflow</span>', name_of(version))
        content = notification.content or {}
        return (content.get("title") or content.get("body") or display.NONE)[:80]

    @admin.display(description="Workflow")
    def workflow_link(self, notification: Notification) -> SafeString | str:
        version = versions_by_id([notification.workflow_version_id]).get(notification.workflow_version_id)  # type: ignore[arg-type]
        if version is None:
            return display.NONE
        named = display.link(Workflow, version.workflow_id, name_of(version))
        followed = display.link(WorkflowVersion, version.pk, f"version {version.number}")
        return format_html("{}, {}: its templates say what each channel hears", named, followed)

    @admin.display(description="Body (Markdown)")
    def body(self, notification: Notification) -> SafeString | str:
        text = (notification.content or {}).get("body")
        return format_html('<pre class="crl-text">{}</pre>', text) if text else display.NONE

    @admin.display(description="Action URL")
    def action_url(self, notification: Notification) -> str:
        return (notification.content or {}).get("action_url") or display.NONE

    @admin.display(description="To")
    def to(self, notification: Notification) -> str:
        entries = notification.recipients or []
        first = ", ".join(f"topic {e.get('topic')}" if isinstance(e, dict) else str(e) for e in entries[:3])
        return f"{first} and {len(entries) - 3} more" if len(entries) > 3 else first

    @admin.display(description="Channels")
    def channel_list(self, notification: Any) -> str:
        """What was asked for; of a workflow that was left its choice, what it went out on so far."""
        if notification.channels:
            return ", ".join(notification.channels)
        if not hasattr(notification, "went_out_on"):
            notification.went_out_on = channels_by_notification([notification.pk]).get(notification.pk, [])
        return ", ".join(notification.went_out_on) or display.NONE

    @admin.display(description="Acknowledged")
    def acknowledged(self, notification: Notification) -> SafeString | str:
        if notification.acknowledged_at is None:
            return "no"
        by = notification.acknowledged_by or "somebody"
        return format_html("{} by {}", display.exact_time(notification.acknowledged_at), by)

    @admin.display(description="Walks")
    def walks(self, notification: Notification) -> SafeString | str:
        if notification.workflow_version_id is None:
            return display.NONE
        runs = display.list_link(Run, f"q={notification.public_id}", "Runs")
        return format_html("{}, {}", runs, display.list_link(Digest, f"q={notification.public_id}", "Digests"))

    @admin.display(description="Project")
    def project_name(self, notification: Notification) -> str:
        return str(display.related(notification, "project") or display.NONE)

    @admin.display(description="Created", ordering="id")
    def created(self, notification: Notification) -> SafeString | str:
        return display.time(notification.created_at)

    @admin.display(description="Created")
    def created_exact(self, notification: Notification) -> SafeString | str:
        return display.exact_time(notification.created_at)

    @admin.display(description="Routed")
    def routed_exact(self, notification: Notification) -> SafeString | str:
        return display.exact_time(notification.routed_at)

    @admin.display(description="To be sent at")
    def send_exact(self, notification: Notification) -> SafeString | str:
        return display.exact_time(notification.send_at) if notification.send_at else "at once"

    @admin.display(description="Expires")
    def expires_exact(self, notification: Notification) -> SafeString | str:
        return display.exact_time(notification.expires_at) if notification.expires_at else "never"

    @admin.display(description="Data")
    def data_json(self, notification: Notification) -> SafeString | str:
        return display.pretty(notification.data)

    @admin.display(description="Metadata")
    def metadata_json(self, notification: Notification) -> SafeString | str:
        return display.pretty(notification.metadata)

    @admin.action(description="Retry failed deliveries", permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        log_operated(request, queryset, "Retried what had failed.")
        count = services.replay(Delivery.objects.filter(notification__in=queryset.order_by().values("id")))
        if count:
            bell().ring(SEND_TASK)
            messages.success(request, f"{count} deliveries are on their way again.")
        else:
            messages.warning(request, "Nothing to retry: no delivery of these has failed, expired or been cancelled.")

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        log_operated(request, queryset, "Cancelled.")
        asked = queryset.count()
        count = services.cancel_notifications(Notification.objects.filter(id__in=queryset.order_by().values("id")))
        messages.success(
            request, f"Cancelled what was left of {asked} notifications: {count} deliveries will not be sent."
        )

    @button(
        description="Retry failed",
        icon="replay",
        question="Sends its failed, expired and cancelled deliveries on their way once more.",
    )
    def retry_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self.retry(request, Notification.objects.filter(pk=object_id))
        return back_to(request, reverse("admin:notifications_notification_change", args=[object_id]))

    @button(
        description="Cancel",
        icon="cancel",
        submit="Cancel the notification",
        danger=True,
        question="Routing stops and every delivery that is not being sent right now is cancelled.",
    )
    def cancel_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        try:
            count = services.cancel_notification(notification_id=Notification(pk=object_id).pk)
        except (Conflict, NotFound) as error:
            messages.warning(request, error.detail)
        else:
            log_operated(request, Notification.objects.filter(pk=object_id), "Cancelled.")
            messages.success(request, f"Cancelled; {count} deliveries will not be sent.")
        return back_to(request, reverse("admin:notifications_notification_change", args=[object_id]))


def _explained(notification: Notification, recipient: str) -> dict[str, Any]:
    """What the API's explain says, for everybody or for one recipient."""
    cut = {"more": False}

    def page(rows: QuerySet[Delivery], out: Callable[[Delivery], dict[str, Any]]) -> dict[str, Any]:
        found = list(rows.order_by("-id")[: _EXPLAINED + 1])
        cut["more"] = len(found) > _EXPLAINED
        return {"data": [out(row) for row in found[:_EXPLAINED] if display.related(row, "recipient") is not None]}

    explained = explain_notification(notification, recipient=recipient or None, page=page)
    entries = notification.recipients or []
    return {
        "explained": explained,
        "explained_for": recipient,
        "more_deliveries": cut["more"],
        "several": len(entries) > 1 or any(isinstance(entry, dict) for entry in entries),
    }

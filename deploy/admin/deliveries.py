"""Deliveries and attempts: what is on its way, why it is not there yet, and the two buttons that change it."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery import services
from delivery.models import Attempt, Delivery
from delivery.reasons import explain
from delivery.states import CANCELLABLE, RETRYABLE, State
from deploy.admin import display, search, when
from deploy.admin.base import ReadOnlyAdmin, back_to, button, log_operated
from deploy.admin.filters import ChannelFilter, CreatedFilter, OutcomeFilter, ProgressFilter, StateFilter
from notifications.bell import bell
from notifications.events import SEND_TASK
from notifications.models import Endpoint, Recipient


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """One notification to one recipient over one channel."""

    list_display = ("state_badge", "shown_id", "channel", "recipient_link", "reason", "tries", "next", "created")
    list_display_links = ("shown_id",)
    list_filter = (StateFilter, ProgressFilter, ChannelFilter, CreatedFilter, ("project", admin.RelatedFieldListFilter))
    search_fields = ("id",)
    search_help_text = "dlv_…, ntf_…, att_…, end_…, or a recipient's id or email"
    actions = ("retry", "cancel")
    actions_detail = ("retry_this", "cancel_this")
    change_form_outer_after_template = "admin/delivery_timeline.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state_badge", "reason_said"),
                    ("channel", "address"),
                    ("recipient_link", "notification_link"),
                    ("tries", "next"),
                    ("created_exact", "finished_exact"),
                    ("project_name", "shown_id"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Not select_related: a delivery whose recipient or endpoint is gone must stay visible.
        return super().get_queryset(request).prefetch_related("recipient", "project", "endpoint")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.deliveries(queryset, term) if term else queryset), False

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only the buttons that the delivery's state allows."""
        state = Delivery.objects.filter(pk=object_id).values_list("state", flat=True).first()
        useless = set() if state in RETRYABLE else {"delivery_delivery_retry_this"}
        useless |= set() if state in CANCELLABLE else {"delivery_delivery_cancel_this"}
        return [each for each in super().get_actions_detail(request, object_id) if each.action_name not in useless]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        delivery = context.get("original")
        if delivery is not None:
            context["attempts"] = list(delivery.attempts.order_by("number"))
            context["events"] = [(event, display.event_badge(event)) for event in delivery.events.all()]
            context["open_delivery"] = delivery.available_at is not None
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="State", ordering="state")
    def state_badge(self, delivery: Delivery) -> SafeString:
        return display.badge(delivery.state)

    @admin.display(description="Reason")
    def reason_said(self, delivery: Delivery) -> str:
        return f"{delivery.reason}: {explain(delivery.reason).says}" if delivery.reason else display.NONE

    @admin.display(description="Delivery", ordering="id")
    def shown_id(self, delivery: Delivery) -> SafeString:
        return display.code(delivery.public_id)

    @admin.display(description="Recipient")
    def recipient_link(self, delivery: Delivery) -> SafeString:
        recipient = display.related(delivery, "recipient")
        return display.badge("erased", "") if recipient is None else display.link(Recipient, recipient.pk, recipient)

    @admin.display(description="Notification")
    def notification_link(self, delivery: Delivery) -> SafeString:
        return display.notification_link(delivery.notification_id)

    @admin.display(description="Project")
    def project_name(self, delivery: Delivery) -> str:
        return str(display.related(delivery, "project") or display.NONE)

    @admin.display(description="Address")
    def address(self, delivery: Delivery) -> SafeString | str:
        endpoint = display.related(delivery, "endpoint")
        if endpoint is not None:
            return format_html(
                "{} {}", display.link(Endpoint, endpoint.pk, endpoint.url), display.badge(endpoint.state)
            )
        recipient = display.related(delivery, "recipient")
        if delivery.channel == "email" and recipient is not None:
            return recipient.email or "none on record"
        return display.NONE

    @admin.display(description="Attempts", ordering="attempt_count")
    def tries(self, delivery: Delivery) -> int:
        return delivery.attempt_count

    @admin.display(description="Next look", ordering="available_at")
    def next(self, delivery: Delivery) -> SafeString | str:
        return display.time(delivery.available_at)

    @admin.display(description="Created", ordering="id")
    def created(self, delivery: Delivery) -> SafeString | str:
        return display.time(delivery.created_at)

    @admin.display(description="Created")
    def created_exact(self, delivery: Delivery) -> SafeString | str:
        return display.exact_time(delivery.created_at)

    @admin.display(description="Finished")
    def finished_exact(self, delivery: Delivery) -> SafeString | str:
        return display.exact_time(delivery.finished_at)

    @admin.action(description="Retry", permissions=["operate"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        asked = queryset.count()
        log_operated(request, queryset.filter(state__in=RETRYABLE), "Retried.")
        with transaction.atomic():
            count = services.replay(queryset)
            transaction.on_commit(lambda: bell().ring(SEND_TASK))
        left = (
            f" {asked - count} were left alone: only failed, expired or cancelled ones can be." if asked > count else ""
        )
        _say(request, count, f"{count} of {asked} deliveries are on their way again.{left}")

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        asked = queryset.count()
        log_operated(request, queryset.filter(state__in=CANCELLABLE), "Cancelled.")
        count = services.cancel(queryset)
        left = f" {asked - count} were left alone: finished, or being sent right now." if asked > count else ""
        _say(request, count, f"{count} of {asked} deliveries are cancelled.{left}")

    @button(description="Retry", icon="replay", question="Sends it on its way once more, with a fresh retry schedule.")
    def retry_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self.retry(request, Delivery.objects.filter(pk=object_id))
        return back_to(request, reverse("admin:delivery_delivery_change", args=[object_id]))

    @button(
        description="Cancel",
        icon="cancel",
        submit="Cancel the delivery",
        danger=True,
        question="It will not be sent. A retry can undo this.",
    )
    def cancel_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self.cancel(request, Delivery.objects.filter(pk=object_id))
        return back_to(request, reverse("admin:delivery_delivery_change", args=[object_id]))


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """Single tries, append-only."""

    list_display = ("outcome_badge", "delivery_link", "number", "channel", "delivery_state", "duration", "started")
    list_display_links = ("number",)
    list_filter = (OutcomeFilter, CreatedFilter)
    search_fields = ("id",)
    search_help_text = "att_…, dlv_…, ntf_…, or a recipient's id or email"
    fields = (
        "outcome_badge",
        "delivery_link",
        "number",
        "started_exact",
        "duration",
        "applied",
        "asked",
        "answer",
        "shown_id",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("delivery")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not term:
            return queryset, False
        if own := search.as_uuid("att", term):
            return queryset.filter(id=own), False
        return queryset.filter(delivery_id__in=search.deliveries(Delivery.objects.order_by(), term).values("id")), False

    @admin.display(description="Outcome")
    def outcome_badge(self, attempt: Attempt) -> SafeString:
        return display.outcome_badge(attempt)

    @admin.display(description="Delivery")
    def delivery_link(self, attempt: Attempt) -> SafeString:
        return display.delivery_link(attempt.delivery_id)

    @admin.display(description="Channel")
    def channel(self, attempt: Attempt) -> str:
        delivery = display.related(attempt, "delivery")
        return delivery.channel if delivery else display.NONE

    @admin.display(description="Delivery is")
    def delivery_state(self, attempt: Attempt) -> SafeString | str:
        delivery = display.related(attempt, "delivery")
        return display.badge(State(delivery.state)) if delivery else display.NONE

    @admin.display(description="Took")
    def duration(self, attempt: Attempt) -> str:
        return when.duration_text(attempt.duration_ms)

    @admin.display(description="Started", ordering="id")
    def started(self, attempt: Attempt) -> SafeString | str:
        return display.time(attempt.started_at)

    @admin.display(description="Started")
    def started_exact(self, attempt: Attempt) -> SafeString | str:
        return display.exact_time(attempt.started_at)

    @admin.display(description="What was asked")
    def asked(self, attempt: Attempt) -> SafeString | str:
        return display.pretty(attempt.request)

    @admin.display(description="Answer of the other side")
    def answer(self, attempt: Attempt) -> SafeString | str:
        return display.pretty(attempt.response)

    @admin.display(description="Id")
    def shown_id(self, attempt: Attempt) -> SafeString:
        return display.code(attempt.public_id)


def _say(request: HttpRequest, count: int, text: str) -> None:
    """Green when something was changed, amber when nothing could be."""
    messages.add_message(request, messages.SUCCESS if count else messages.WARNING, text)

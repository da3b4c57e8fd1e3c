"""Recipients, their endpoints, topics and who is subscribed to them."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from delivery.models import Delivery, Run
from deploy.admin import display, search
from deploy.admin.base import AppendOnlyInline, Form, KeptAdmin, LargeAdmin, TabularInline, log_operated
from deploy.admin.filters import ChannelFilter, CreatedFilter
from notifications import custom_headers, texts
from notifications.models import Endpoint, Inbox, InboxMessage, Recipient, RecipientPreferences, Subscription, Topic
from schedules.models import Digest

_TRAFFIC: Final[tuple[tuple[type[Model], str], ...]] = ((Delivery, "Deliveries"), (Run, "Runs"), (Digest, "Digests"))
_CHECKS: Final[dict[str, Callable[[str], str]]] = {
    "external_id": texts.check_external_id,
    "email": texts.check_email,
    "phone": texts.check_phone,
    "name": texts.check_line,
    "locale": texts.check_locale,
    "timezone": texts.check_timezone,
    "key": texts.check_key,
}


class CheckedForm(Form):
    """The same checks as the API's, so that no page stores what the API would refuse."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, check in _CHECKS.items():
            value = cleaned.get(name)
            if value:
                try:
                    cleaned[name] = check(value)
                except ValueError as error:
                    self.add_error(name, forms.ValidationError(str(error)))
        return cleaned


class EndpointInline(AppendOnlyInline):
    model = Endpoint
    fields = ("channel", "url", "state_badge", "disabled_reason", "created_at")
    readonly_fields = fields
    verbose_name_plural = "endpoints (added through the API, which shows their secret once)"

    @admin.display(description="State")
    def state_badge(self, endpoint: Endpoint) -> SafeString:
        return display.badge(endpoint.state)


@admin.register(Recipient)
class RecipientAdmin(LargeAdmin):
    """Whom to tell."""

    form = CheckedForm
    list_display = ("external_id", "email", "name", "locale", "timezone", "project", "created")
    list_filter = (("project", admin.RelatedOnlyFieldListFilter), CreatedFilter)
    list_select_related = ("project",)
    search_fields = ("external_id__istartswith", "email__istartswith", "name__istartswith")
    search_help_text = "Begin of the recipient's id, email or name"
    inlines = (EndpointInline,)
    fieldsets = (
        (None, {"fields": (("project", "external_id"), ("name", "email"), ("phone", "locale"), "timezone", "data")}),
        ("What happened", {"fields": (("inbox_counts", "traffic"), "preferences_link", ("created_at", "updated_at"))}),
    )
    readonly_fields = ("inbox_counts", "traffic", "preferences_link", "created_at", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "project", "external_id") if obj else self.readonly_fields

    @admin.display(description="Created", ordering="id")
    def created(self, recipient: Recipient) -> SafeString | str:
        return display.time(recipient.created_at)

    @admin.display(description="Inbox")
    def inbox_counts(self, recipient: Recipient) -> SafeString | str:
        inbox = Inbox.objects.filter(recipient_id=recipient.pk).first()
        if inbox is None:
            return "Nothing yet"
        text = f"{inbox.unread} unread, {inbox.unseen} unseen, offset {inbox.offset}"
        return display.list_link(InboxMessage, f"recipient={recipient.pk}", text)

    @admin.display(description="Traffic")
    def traffic(self, recipient: Recipient) -> SafeString | str:
        if recipient._state.adding:
            return display.NONE
        return format_html_join(
            ", ",
            "{}",
            ((display.list_link(model, f"recipient={recipient.pk}", text),) for model, text in _TRAFFIC),
        )

    @admin.display(description="Preferences")
    def preferences_link(self, recipient: Recipient) -> SafeString | str:
        row = RecipientPreferences.objects.filter(pk=recipient.pk).only("pk").first()
        if row is None:
            return "nothing said; the project's hold"
        return display.link(RecipientPreferences, row.pk, "What this recipient wants")


@admin.register(Endpoint)
class EndpointAdmin(LargeAdmin):
    """Webhook addresses. Made through the API only, because their secret is shown once, there."""

    list_display = ("url", "state_badge", "channel", "recipient", "disabled_reason", "project", "created")
    list_filter = (ChannelFilter, "state", ("project", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("project", "recipient")
    search_fields = ("id",)
    search_help_text = "end_…, a part of the URL, or a recipient's id or email"
    fields = (
        "url",
        "channel",
        "state",
        "disabled_reason",
        "signature",
        "public_key",
        "old_secret_until",
        "header_names",
        "event_types",
        "retry_seconds",
        "recipient_link",
        "project",
        "shown_id",
        "created_at",
    )
    readonly_fields = tuple(field for field in fields if field != "state")
    actions = ("enable", "disable")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not term:
            return queryset, False
        found = search.of_recipient(queryset, term, "end")
        return (queryset.filter(url__icontains=term) if not found.exists() else found), False

    @admin.display(description="Own headers")
    def header_names(self, endpoint: Endpoint) -> str:
        return ", ".join(custom_headers.unseal_headers(endpoint.sealed_headers)) or "none"

    @admin.display(description="Id")
    def shown_id(self, endpoint: Endpoint) -> SafeString:
        return display.code(endpoint.public_id)

    @admin.display(description="State", ordering="state")
    def state_badge(self, endpoint: Endpoint) -> SafeString:
        return display.badge(endpoint.state)

    @admin.display(description="Recipient")
    def recipient_link(self, endpoint: Endpoint) -> SafeString:
        return display.link(Recipient, endpoint.recipient_id, endpoint.recipient)

    @admin.display(description="Created", ordering="id")
    def created(self, endpoint: Endpoint) -> SafeString | str:
        return display.time(endpoint.created_at)

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        log_operated(request, queryset, "Enabled.")
        count = queryset.update(state=Endpoint.State.ENABLED, disabled_reason="")
        messages.success(request, f"Enabled {count} endpoints. Retry their failed deliveries to send what was missed.")

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        log_operated(request, queryset, "Disabled.")
        count = queryset.update(state=Endpoint.State.DISABLED, disabled_reason="disabled_by_operator")
        messages.success(request, f"Disabled {count} endpoints. Nothing new is sent to them.")


class SubscriptionInline(TabularInline):
    model = Subscription
    extra = 0
    hide_title = True
    per_page = 25
    autocomplete_fields = ("recipient",)
    fields = ("recipient", "created_at")
    readonly_fields = ("created_at",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("recipient")


@admin.register(Topic)
class TopicAdmin(KeptAdmin):
    """Named groups."""

    form = CheckedForm
    list_display = ("key", "name", "project", "created")
    list_filter = (("project", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("project",)
    search_fields = ("key__icontains", "name__icontains")
    fields = (("project", "key"), "name")
    inlines = (SubscriptionInline,)
    ordering = ("-id",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("project", "key") if obj else ()

    @admin.display(description="Created", ordering="id")
    def created(self, topic: Topic) -> SafeString | str:
        return display.time(topic.created_at)


@admin.register(Subscription)
class SubscriptionAdmin(LargeAdmin):
    """Who is in which topic."""

    list_display = ("recipient", "topic", "created")
    list_select_related = ("recipient", "topic")
    search_fields = ("id",)
    search_help_text = "A recipient's id or email"
    autocomplete_fields = ("recipient", "topic")
    fields = ("topic", "recipient")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.delete_subscription")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.of_recipient(queryset, term) if term else queryset), False

    @admin.display(description="Since", ordering="id")
    def created(self, subscription: Subscription) -> SafeString | str:
        return display.time(subscription.created_at)

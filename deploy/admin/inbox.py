"""What stands in recipients' inboxes; to be looked at only."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from deploy.admin import display, search
from deploy.admin.base import ReadOnlyAdmin
from deploy.admin.filters import CreatedFilter
from notifications.models import Inbox, InboxEvent, InboxMessage, Recipient


class OfRecipientAdmin(ReadOnlyAdmin):
    """Rows found by their recipient."""

    search_fields = ("pk",)
    search_help_text = "A recipient's id or email"
    list_select_related: ClassVar[tuple[str, ...]] = ("recipient",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.of_recipient(queryset, term) if term else queryset), False

    @admin.display(description="Recipient")
    def recipient_link(self, row: Any) -> SafeString:
        return display.link(Recipient, row.recipient_id, row.recipient)


@admin.register(Inbox)
class InboxAdmin(OfRecipientAdmin):
    """Heads of the logs: last offset and counts."""

    list_display = ("recipient", "unread", "unseen", "offset", "messages_link")
    fields = (
        "recipient_link",
        "unread",
        "unseen",
        "offset",
        "epoch",
        "last_seen_at",
        "tokens_valid_from",
        "messages_link",
    )
    ordering = ("-recipient_id",)

    @admin.display(description="Messages")
    def messages_link(self, inbox: Inbox) -> SafeString:
        return display.list_link(InboxMessage, f"recipient={inbox.pk}", "Show messages")


@admin.register(InboxMessage)
class InboxMessageAdmin(OfRecipientAdmin):
    """In-app messages."""

    list_display = ("short_title", "recipient_link", "status", "offset", "category", "created")
    list_filter = (CreatedFilter,)
    search_help_text = "msg_…, or a recipient's id or email"
    fieldsets = (
        (None, {"fields": ("title", "body", "action_url", "status")}),
        (
            "Where it belongs",
            {"fields": (("shown_id", "offset"), ("recipient_link", "delivery"), ("category", "actor"), "data_json")},
        ),
        (
            "Times",
            {
                "fields": (
                    ("created_at", "seen_at"),
                    ("read_at", "archived_at"),
                    ("acknowledged_at", "expires_at"),
                    "gone_at",
                )
            },
        ),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.of_recipient(queryset, term, "msg") if term else queryset), False

    @admin.display(description="Title")
    def short_title(self, message: InboxMessage) -> str:
        return (message.title or message.body or message.public_id)[:80]

    @admin.display(description="Id")
    def shown_id(self, message: InboxMessage) -> SafeString:
        return display.code(message.public_id)

    @admin.display(description="Delivery")
    def delivery(self, message: InboxMessage) -> SafeString:
        return display.delivery_link(message.delivery_id)

    @admin.display(description="Status")
    def status(self, message: InboxMessage) -> SafeString:
        if message.gone_as:
            return display.badge(message.gone_as.removeprefix("message."), "")
        if message.acknowledged_at:
            return display.badge("acknowledged", "success")
        if message.archived_at:
            return display.badge("archived", "")
        if message.read_at:
            return display.badge("read", "success")
        return display.badge("seen", "info") if message.seen_at else display.badge("unseen", "primary")

    @admin.display(description="Data")
    def data_json(self, message: InboxMessage) -> SafeString | str:
        return display.pretty(message.data)

    @admin.display(description="Created", ordering="id")
    def created(self, message: InboxMessage) -> SafeString | str:
        return display.time(message.created_at)


@admin.register(InboxEvent)
class InboxEventAdmin(OfRecipientAdmin):
    """The ordered log of changes that clients resume from."""

    list_display = ("recipient_link", "offset", "kind", "message", "created")
    list_filter = ("kind",)
    list_select_related = ("recipient", "message")
    fields = ("recipient_link", "offset", "kind", "message", "created_at")

    @admin.display(description="Created", ordering="id")
    def created(self, event: InboxEvent) -> SafeString | str:
        return display.time(event.created_at)

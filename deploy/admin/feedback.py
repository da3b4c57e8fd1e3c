"""What came back from mail: the suppression list, events of deliveries, and the ways by which they come."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.safestring import SafeString

from delivery.models import BounceMailbox, CallbackSource, Delivery, DeliveryEvent
from deploy.admin import display, search
from deploy.admin.base import Form, LargeAdmin, ReadOnlyAdmin
from deploy.admin.filters import CreatedFilter
from notifications import texts
from notifications.addresses import hash_email, normalise_email
from notifications.models import Suppression


class SuppressionForm(Form):
    """An address as anybody may write it; kept in its normal form."""

    address = forms.CharField(max_length=320)

    def clean_address(self) -> str:
        try:
            return normalise_email(texts.check_email(self.cleaned_data["address"]))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"address", "project", "reason"} <= cleaned.keys():
            rows = Suppression.objects.filter(project=cleaned["project"], reason=cleaned["reason"])
            found = rows.filter(address_hash=hash_email(cleaned["address"]))
            if found.filter(Q(expires_at=None) | Q(expires_at__gt=Now())).exists():
                self.add_error("address", "This address is on the list for this reason.")
            elif (expired := found.first()) is not None:
                self.instance.id, self.instance._state.adding = expired.id, False
        return cleaned

    def save(self, commit: bool = True) -> Any:
        self.instance.address_hash = hash_email(self.cleaned_data["address"])
        return super().save(commit)


@admin.register(Suppression)
class SuppressionAdmin(LargeAdmin):
    """Addresses that must not be written to. Put on the list and taken off it here, never changed."""

    form = SuppressionForm
    list_display = ("shown_address", "reason_badge", "project", "detail", "created", "expires")
    list_filter = ("reason", CreatedFilter, ("project", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("project",)
    search_fields = ("id",)
    search_help_text = "sup_…, dlv_…, or an email address (found by its hash, also after its person was erased)"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return ["project", "address", "reason", "detail", "expires_at"]
        return ["shown_address", "project", "reason", "detail", "source", "shown_id", "created_at", "expires_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj) if obj is not None else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.delete_suppression")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not term:
            return queryset, False
        if own := search.as_uuid("sup", term):
            return queryset.filter(id=own), False
        if source := search.as_uuid("dlv", term):
            return queryset.filter(source_delivery_id=source), False
        return queryset.filter(address_hash=hash_email(term)), False

    @admin.display(description="Address", ordering="address")
    def shown_address(self, suppression: Suppression) -> SafeString | str:
        return suppression.address or display.badge("erased", "")

    @admin.display(description="Reason", ordering="reason")
    def reason_badge(self, suppression: Suppression) -> SafeString:
        return display.badge(suppression.reason, "danger" if suppression.reason != "unsubscribe" else "warning")

    @admin.display(description="Came back from")
    def source(self, suppression: Suppression) -> SafeString | str:
        source = suppression.source_delivery_id
        if source is None or not Delivery.objects.filter(id=source).exists():
            return display.NONE
        return display.delivery_link(source)

    @admin.display(description="Id")
    def shown_id(self, suppression: Suppression) -> SafeString:
        return display.code(suppression.public_id)

    @admin.display(description="Since", ordering="id")
    def created(self, suppression: Suppression) -> SafeString | str:
        return display.time(suppression.created_at)

    @admin.display(description="Until", ordering="expires_at")
    def expires(self, suppression: Suppression) -> SafeString | str:
        return display.time(suppression.expires_at)


@admin.register(DeliveryEvent)
class DeliveryEventAdmin(ReadOnlyAdmin):
    """What was reported about mail after it was sent, append-only."""

    list_display = ("type_badge", "delivery_link", "source", "status", "detail", "occurred")
    list_display_links = ("type_badge",)
    list_filter = ("type", CreatedFilter)
    search_fields = ("id",)
    search_help_text = "dlv_…, ntf_…, or a recipient's id or email"
    fields = ("type_badge", "delivery_link", "source", "status", "detail", "occurred_at", "created_at", "event_id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not term:
            return queryset, False
        return queryset.filter(delivery_id__in=search.deliveries(Delivery.objects.order_by(), term).values("id")), False

    @admin.display(description="Event")
    def type_badge(self, event: DeliveryEvent) -> SafeString:
        return display.event_badge(event)

    @admin.display(description="Delivery")
    def delivery_link(self, event: DeliveryEvent) -> SafeString:
        return display.delivery_link(event.delivery_id)

    @admin.display(description="Occurred", ordering="id")
    def occurred(self, event: DeliveryEvent) -> SafeString | str:
        return display.time(event.occurred_at)


@admin.register(CallbackSource)
class CallbackSourceAdmin(ReadOnlyAdmin):
    """Who may report; made through the API only, because the secret is shown once, there."""

    list_display = ("name", "shown_id", "project", "created")
    list_filter = (("project", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("project",)
    search_fields = ("name__icontains",)
    fields = ("name", "project", "shown_id", "created_at")

    @admin.display(description="Id")
    def shown_id(self, source: CallbackSource) -> SafeString:
        return display.code(source.public_id)

    @admin.display(description="Created", ordering="id")
    def created(self, source: CallbackSource) -> SafeString | str:
        return display.time(source.created_at)


@admin.register(BounceMailbox)
class BounceMailboxAdmin(ReadOnlyAdmin):
    """How the last look into the bounce mailbox went."""

    list_display = ("mailbox", "polled", "last_error")
    fields = ("mailbox", "polled_at", "last_error", "leased_until")
    ordering = ("mailbox",)

    @admin.display(description="Last read", ordering="polled_at")
    def polled(self, mailbox: BounceMailbox) -> SafeString | str:
        return display.time(mailbox.polled_at)

"""Status events: who is told, what was told, and how the telling goes."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from delivery.models import EventEndpoint, StatusDispatch, StatusEvent
from delivery.status_events.shapes import shown_data
from deploy.admin import display
from deploy.admin.base import AppendOnlyInline, ReadOnlyAdmin
from deploy.admin.filters import CreatedFilter


class DispatchInline(AppendOnlyInline):
    """To whom one event was told."""

    model = StatusDispatch
    fields = ("endpoint", "state", "attempt_count", "outcome", "available_at", "finished_at")
    readonly_fields = fields
    show_change_link = False


@admin.register(EventEndpoint)
class EventEndpointAdmin(ReadOnlyAdmin):
    """Addresses of the projects themselves; they are changed over the API."""

    list_display = ("state_badge", "key", "project", "url", "type_list", "created")
    list_display_links = ("key",)
    list_filter = ("state", ("project", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("project",)
    search_fields = ("key__iexact", "url__icontains")
    fields = ("project", "key", "url", "description", "state_badge", "disabled_reason", "type_list", "created_at")

    @admin.display(description="State", ordering="state")
    def state_badge(self, endpoint: EventEndpoint) -> SafeString:
        return display.badge(endpoint.state)

    @admin.display(description="Types")
    def type_list(self, endpoint: EventEndpoint) -> str:
        return ", ".join(endpoint.types) or "all"

    @admin.display(description="Created", ordering="created_at")
    def created(self, endpoint: EventEndpoint) -> SafeString | str:
        return display.time(endpoint.created_at)


@admin.register(StatusEvent)
class StatusEventAdmin(ReadOnlyAdmin):
    """What was told."""

    list_display = ("shown_id", "type", "project_name", "telling", "created")
    list_display_links = ("shown_id",)
    list_filter = (CreatedFilter, ("project", admin.RelatedFieldListFilter))
    search_fields = ("type__exact",)
    search_help_text = "A type, such as delivery.failed"
    fields = ("shown_id", "type", "project_name", "recipient_link", "data_json", "created_at")
    inlines = (DispatchInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("project", "recipient", "dispatches")

    @admin.display(description="Event", ordering="id")
    def shown_id(self, event: StatusEvent) -> SafeString:
        return display.code(event.public_id)

    @admin.display(description="Project")
    def project_name(self, event: StatusEvent) -> str:
        return str(display.related(event, "project") or display.NONE)

    @admin.display(description="Recipient")
    def recipient_link(self, event: StatusEvent) -> SafeString | str:
        recipient = display.related(event, "recipient")
        return display.NONE if recipient is None else display.link(type(recipient), recipient.pk, recipient)

    @admin.display(description="Told")
    def telling(self, event: StatusEvent) -> str:
        states = [dispatch.state for dispatch in event.dispatches.all()]
        return ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))) or display.NONE

    @admin.display(description="Data")
    def data_json(self, event: StatusEvent) -> SafeString | str:
        return display.pretty(shown_data(event.data, recipient=None))

    @admin.display(description="Created", ordering="id")
    def created(self, event: StatusEvent) -> SafeString | str:
        return display.time(event.created_at)


@admin.register(StatusDispatch)
class StatusDispatchAdmin(ReadOnlyAdmin):
    """How each telling goes."""

    list_display = ("state_badge", "event_link", "endpoint_link", "attempt_count", "outcome", "next")
    list_display_links = ("attempt_count",)
    list_filter = ("state",)
    search_fields = ("id",)
    fields = ("state_badge", "event_link", "endpoint_link", "attempt_count", "outcome", "next", "finished_at", "answer")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("event", "endpoint")

    @admin.display(description="State", ordering="state")
    def state_badge(self, dispatch: StatusDispatch) -> SafeString:
        return display.badge(dispatch.state)

    @admin.display(description="Event")
    def event_link(self, dispatch: StatusDispatch) -> SafeString | str:
        event = display.related(dispatch, "event")
        return display.NONE if event is None else display.link(StatusEvent, event.pk, f"{event.type} {event}")

    @admin.display(description="Endpoint")
    def endpoint_link(self, dispatch: StatusDispatch) -> SafeString | str:
        endpoint = display.related(dispatch, "endpoint")
        return display.NONE if endpoint is None else display.link(EventEndpoint, endpoint.pk, endpoint)

    @admin.display(description="Next look", ordering="available_at")
    def next(self, dispatch: StatusDispatch) -> SafeString | str:
        return display.time(dispatch.available_at)

    @admin.display(description="Answer of the other side")
    def answer(self, dispatch: StatusDispatch) -> SafeString | str:
        return display.pretty(dispatch.response)

"""Endpoints in trouble, to look at; and how fast may be sent, to set."""

from django.contrib import admin
from django.utils.safestring import SafeString

from delivery.models import EndpointTrouble, SendLimit
from deploy.admin import display
from deploy.admin.base import ModelAdmin, ReadOnlyAdmin
from notifications.models import Endpoint


@admin.register(EndpointTrouble)
class EndpointTroubleAdmin(ReadOnlyAdmin):
    """What fails at the moment, and until when it is left alone; a success removes the row."""

    list_display = ("endpoint_link", "failures", "failing_since", "last_failed_at", "trips", "held_until")
    list_display_links = ("failures",)
    ordering = ("-last_failed_at",)
    fields = ("endpoint_link", "failures", "failing_since", "last_failed_at", "trips", "held_until")
    readonly_fields = fields

    @admin.display(description="Endpoint")
    def endpoint_link(self, trouble: EndpointTrouble) -> SafeString:
        return display.link(Endpoint, trouble.endpoint_id, trouble.endpoint_id)


@admin.register(SendLimit)
class SendLimitAdmin(ModelAdmin):
    """Sends per second; what is above waits. A change is in force within seconds."""

    list_display = ("channel", "project", "per_second")
    list_select_related = ("project",)
    fields = ("project", "channel", "per_second")
    autocomplete_fields = ("project",)

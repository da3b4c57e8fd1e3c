"""The platform's own processes and the laws it keeps; to be looked at only."""

from datetime import timedelta

from django.contrib import admin
from django.utils.safestring import SafeString

from delivery.heartbeats import SILENT_SECONDS
from delivery.laws import LAWS
from delivery.models import Heartbeat, LawCheck
from deploy.admin import display
from deploy.admin.base import ReadOnlyAdmin
from notifications.clock import utc_now

_SAYS = {law.code: law.says for law in LAWS}


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """Who is at work; what stopped as it should is not listed."""

    list_display = ("role", "host", "pid", "version", "is_alive", "started", "last_seen")
    list_filter = ("role", "host")
    fields = ("role", "host", "pid", "version", "started_at", "last_seen_at", "missed_at")

    @admin.display(description="Alive", boolean=True)
    def is_alive(self, row: Heartbeat) -> bool:
        return row.last_seen_at > utc_now() - timedelta(seconds=SILENT_SECONDS)

    @admin.display(description="Started", ordering="started_at")
    def started(self, row: Heartbeat) -> SafeString | str:
        return display.time(row.started_at)

    @admin.display(description="Last seen", ordering="last_seen_at")
    def last_seen(self, row: Heartbeat) -> SafeString | str:
        return display.time(row.last_seen_at)


@admin.register(LawCheck)
class LawCheckAdmin(ReadOnlyAdmin):
    """What the last inspection of the last hour's rows found."""

    ordering = ("law",)
    list_display = ("law", "says", "broken", "checked")
    fields = ("law", "says", "broken", "examples", "checked_at")

    @admin.display(description="Says")
    def says(self, row: LawCheck) -> str:
        return _SAYS.get(row.law, display.NONE)

    @admin.display(description="Checked", ordering="checked_at")
    def checked(self, row: LawCheck) -> SafeString | str:
        return display.time(row.checked_at)

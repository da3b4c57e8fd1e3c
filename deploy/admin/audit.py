"""The audit log: who changed what, and when."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from deploy.admin import display
from deploy.admin.base import ReadOnlyAdmin
from notifications.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Append-only, in the database as well."""

    list_display = ("when", "who", "action", "subject", "subject_id", "columns")
    list_filter = ("action", "subject")
    search_fields = ("actor__exact", "subject_id__exact", "project_id__exact")
    search_help_text = "An actor, or the UUID of what was changed or of its project"
    fields = ("at", "who", "action", "subject", "subject_id", "project_id", "columns")

    def has_operate_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @admin.display(description="When", ordering="id")
    def when(self, entry: AuditEntry) -> SafeString | str:
        return display.time(entry.at)

    @admin.display(description="Who")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor or "Carillon"

    @admin.display(description="Columns")
    def columns(self, entry: AuditEntry) -> str:
        return ", ".join(entry.changed)

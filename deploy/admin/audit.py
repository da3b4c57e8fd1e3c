"""The audit log: who changed what, and when."""

from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.sites import site
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from deploy.admin import display
from deploy.admin.base import ReadOnlyAdmin
from notifications import ids
from notifications.models import ApiKey, AuditEntry

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter

_SUBJECTS: Final = (
    "notifications.project",
    "notifications.projectsettings",
    "notifications.apikey",
    "notifications.workflow",
    "notifications.workflowversion",
    "notifications.template",
    "notifications.endpoint",
    "notifications.suppression",
    "schedules.schedule",
    "delivery.provider",
    "delivery.sendlimit",
    "delivery.dkimkey",
    "delivery.eventendpoint",
    "delivery.callbacksource",
)
"""The models whose tables have the trigger."""


def subjects() -> dict[str, type[Model]]:
    """By table."""
    models = (apps.get_model(name) for name in _SUBJECTS)
    return {model._meta.db_table: model for model in models}


class SubjectFilter(DropdownFilter):
    """What kind of thing was changed; the log is not searched for its distinct values."""

    title = "subject"
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(table, _name(model)) for table, model in subjects().items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(subject=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Append-only, in the database as well."""

    list_display = ("when", "who", "action", "subject_link", "columns")
    list_display_links = ("when",)
    list_filter = ("action", SubjectFilter)
    search_fields = ("actor__exact", "subject_id__exact", "project_id__exact")
    search_help_text = "An actor, or the UUID of what was changed or of its project"
    fields = ("at_exact", "who", "action", "subject_link", "subject_id", "project_id", "all_columns")

    def has_operate_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the names of the API keys that acted on this page's rows, read at once."""
        page = super().get_changelist_instance(request)
        rows: Any = page.result_list
        keys = {pk for row in rows if (pk := ids.decode("key", row.actor)) is not None}
        names = {key.pk: key for key in ApiKey.objects.filter(pk__in=keys)} if keys else {}
        for row in rows:
            key_id = ids.decode("key", row.actor)
            row.known_key = None if key_id is None else names.get(key_id)
        return page

    @admin.display(description="When", ordering="id")
    def when(self, entry: AuditEntry) -> SafeString | str:
        return display.time(entry.at)

    @admin.display(description="When")
    def at_exact(self, entry: AuditEntry) -> SafeString | str:
        return display.exact_time(entry.at)

    @admin.display(description="Who")
    def who(self, entry: Any) -> SafeString | str:
        """A user, a key by its name, or nobody: Carillon itself, a command on its machine included."""
        key_id = ids.decode("key", entry.actor)
        if key_id is None:
            return entry.actor or "Carillon"
        if not hasattr(entry, "known_key"):
            entry.known_key = ApiKey.objects.filter(pk=key_id).first()
        key = entry.known_key
        return entry.actor if key is None else display.link(ApiKey, key.pk, f"API key {key.name}")

    @admin.display(description="What", ordering="subject")
    def subject_link(self, entry: AuditEntry) -> SafeString | str:
        """Its page, where it has one; the page of what is removed says that it is gone."""
        model = subjects().get(entry.subject)
        if model is None:
            return entry.subject
        if entry.action == AuditEntry.Action.DELETE or not site.is_registered(model):
            return _name(model)
        return display.link(model, entry.subject_id, _name(model))

    @admin.display(description="Changed")
    def columns(self, entry: AuditEntry) -> str:
        return ", ".join(entry.changed) if entry.action == AuditEntry.Action.UPDATE else display.NONE

    @admin.display(description="Columns")
    def all_columns(self, entry: AuditEntry) -> str:
        return ", ".join(entry.changed)


def _name(model: type[Model]) -> str:
    return str(model._meta.verbose_name).capitalize().replace("Api ", "API ").replace("Dkim ", "DKIM ")

"""What recipients want, and what a project decides for all of them: read in words, changed as JSON with the API's own checks."""

from collections.abc import Callable
from textwrap import shorten
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from deploy.admin import display, search
from deploy.admin.base import Form, KeptAdmin, LargeAdmin
from deploy.admin.people import CheckedForm
from deploy.admin.preference_words import described
from notifications import texts
from notifications.errors import Invalid
from notifications.models import ProjectSettings, RecipientPreferences
from notifications.preferences.caps import parse_caps
from notifications.preferences.parsing import parse_preferences
from notifications.services.preferences import change_preferences
from notifications.services.project_settings import check_brand

_DOCUMENTS: Final[dict[str, Callable[[Any], Any]]] = {
    "settings": parse_preferences,
    "preferences": parse_preferences,
    "caps": parse_caps,
    "brand": check_brand,
}


_HELP: Final = (
    "As PUT /v1/recipients/{id}/preferences takes it: channels {channel: true|false}, categories and workflows "
    "{key: true|false or {channel: true|false}}, quiet_hours {policy, weekly}, digests {category: {cron}}. "
    "The most specific entry wins; what is not said here, the project's preferences decide."
)


class DocumentForm(Form):
    """JSON by the same checks as the API's; what is wrong is said with its place."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"settings", "preferences"} & self.fields.keys():
            self.fields[name].help_text = _HELP

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, check in _DOCUMENTS.items():
            if name not in cleaned:
                continue
            cleaned[name] = cleaned[name] or {}
            try:
                check(cleaned[name])
            except Invalid as error:
                self.add_error(name, [f"{fault.pointer or '/'}: {fault.detail}" for fault in error.faults])
        return cleaned


@admin.register(RecipientPreferences)
class RecipientPreferencesAdmin(LargeAdmin):
    """Who wants what. Deleting a row takes back everything that was ever said; then the project's preferences hold."""

    form = DocumentForm
    ordering = ("-pk",)
    list_display = ("recipient", "in_brief", "source", "project", "updated")
    list_filter = ("source", ("project", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("recipient", "project")
    search_fields = ("pk",)
    search_help_text = "A recipient's id or email"
    fields = ("recipient_link", "project", "in_words", "settings", "source", "updated_exact")
    readonly_fields = ("recipient_link", "project", "in_words", "source", "updated_exact")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.delete_recipientpreferences")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.of_recipient(queryset, term) if term else queryset), False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        change_preferences(obj.recipient, lambda _: obj.settings, source=RecipientPreferences.Source.ADMIN)

    @admin.display(description="Recipient")
    def recipient_link(self, row: RecipientPreferences) -> SafeString:
        return display.link(type(row.recipient), row.recipient_id, row.recipient)

    @admin.display(description="In words")
    def in_brief(self, row: RecipientPreferences) -> str:
        return _brief(row.settings)

    @admin.display(description="In words")
    def in_words(self, row: RecipientPreferences) -> SafeString | str:
        return _lines(row.settings)

    @admin.display(description="Changed", ordering="updated_at")
    def updated(self, row: RecipientPreferences) -> SafeString | str:
        return display.time(row.updated_at)

    @admin.display(description="Changed")
    def updated_exact(self, row: RecipientPreferences) -> SafeString | str:
        return display.exact_time(row.updated_at)


class ProjectSettingsForm(DocumentForm, CheckedForm):
    """The documents, and the values that recipients have as well."""

    def clean_default_locale(self) -> str:
        try:
            return texts.check_locale(self.cleaned_data["default_locale"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(ProjectSettings)
class ProjectSettingsAdmin(KeptAdmin):
    """What holds for all recipients of a project."""

    form = ProjectSettingsForm
    list_display = ("project", "default_locale", "timezone", "in_brief", "updated")
    list_select_related = ("project",)
    search_fields = ("project__name__icontains",)
    readonly_fields = ("in_words", "updated_at")
    fieldsets = (
        (None, {"fields": ("project", ("default_locale", "timezone"))}),
        ("Preferences", {"fields": ("in_words", "preferences", "caps")}),
        ("Brand", {"fields": ("brand", "updated_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "project") if obj else self.readonly_fields

    @admin.display(description="In words")
    def in_brief(self, row: ProjectSettings) -> str:
        return _brief(row.preferences)

    @admin.display(description="In words")
    def in_words(self, row: ProjectSettings) -> SafeString | str:
        return _lines(row.preferences)

    @admin.display(description="Changed", ordering="updated_at")
    def updated(self, row: ProjectSettings) -> SafeString | str:
        return display.time(row.updated_at)


def _lines(settings: Any) -> SafeString | str:
    return format_html_join("", "<div>{}</div>", ((line,) for line in _said(settings))) or display.NONE


def _brief(settings: Any) -> str:
    """One line for a list."""
    return shorten("; ".join(_said(settings)), 56, placeholder=" …") or display.NONE


def _said(settings: Any) -> list[str]:
    try:
        return described(parse_preferences(settings or {}))
    except Invalid:
        return ["Not readable; see the JSON."]

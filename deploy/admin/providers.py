"""Mail servers: those of the environment to look at, further ones to add, and how each of them is doing."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.validators import MaxValueValidator
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from delivery.conf import conf
from delivery.models import Provider
from delivery.provider_secrets import open_secrets, seal_secrets
from delivery.transports.email.servers import KIND, SECURITY, server_of
from delivery.transports.providers import ProviderConfig
from deploy.admin import display
from deploy.admin.base import Form, ModelAdmin, log_operated
from notifications.sealing import SealBroken

_SECURITY_TEXTS: Final = {
    "starttls": "STARTTLS, demanded (port 587)",
    "tls": "TLS from the first byte (port 465)",
    "if_offered": "STARTTLS if it is offered",
    "none": "None: everything in clear, the password too",
}
_SETTINGS: Final = ("host", "port", "security", "verify", "username", "from_address", "max_connections")
_WHERE: Final = ("host", "port", "security", "verify")
_HEALTHY: Final[dict[str, Any]] = {
    "state": Provider.State.HEALTHY,
    "reason": "",
    "paused_until": None,
    "consecutive_failures": 0,
}


class ProviderForm(Form):
    """A server's settings as fields of their own. The password goes in and never comes out."""

    host = forms.CharField(max_length=253, widget=UnfoldAdminTextInputWidget)
    port = forms.IntegerField(min_value=1, max_value=65535, initial=587, widget=UnfoldAdminIntegerFieldWidget)
    security = forms.ChoiceField(
        choices=[(name, _SECURITY_TEXTS[name]) for name in SECURITY], widget=UnfoldAdminSelectWidget
    )
    verify = forms.BooleanField(
        required=False, initial=True, label="Check the certificate", widget=UnfoldBooleanSwitchWidget
    )
    username = forms.CharField(required=False, max_length=255, widget=UnfoldAdminTextInputWidget)
    password = forms.CharField(
        required=False,
        max_length=1000,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted and never shown. Empty: the one that is stored stays, unless the user name is emptied.",
    )
    from_address = forms.CharField(
        required=False,
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
        help_text="Mail by this server comes from here instead of CARILLON_MAIL_FROM.",
    )
    max_connections = forms.IntegerField(
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Per worker process, for a server that allows fewer than Carillon would open.",
    )

    is_another_server = False

    class Meta:
        model = Provider
        fields = ("name", "project", "position", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _SETTINGS if self.instance.settings else ():
            if name in self.fields:
                self.fields[name].initial = self.instance.settings.get(name, True if name == "verify" else None)
        if "max_connections" in self.fields:
            limit = conf().transports["email"].conf.max_connections
            self.fields["max_connections"].validators.append(MaxValueValidator(limit))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        settings = {name: cleaned[name] for name in _SETTINGS if cleaned.get(name) not in (None, "")}
        secrets = self._secrets(cleaned)
        if self._leads_elsewhere(settings) and settings.get("username") and not cleaned.get("password"):
            self.add_error("password", "Enter the password again: host, port or security were changed.")
            return cleaned
        try:
            server_of(ProviderConfig(id=self.instance.id, kind=KIND, name="", settings=settings, secrets=secrets))
        except ValueError as error:
            text = str(error)
            field = next((name for name in _SETTINGS if text.startswith(name)), None)
            self.add_error(field, text[0].upper() + text[1:] + ".")
            return cleaned
        self.is_another_server = settings != self.instance.settings or secrets != self._stored()
        self.instance.settings = settings
        if secrets != self._stored():
            self.instance.sealed_secrets = seal_secrets(secrets)
        return cleaned

    def _leads_elsewhere(self, settings: dict[str, Any]) -> bool:
        """Whether a stored password would be told to another server, or over a less protected way."""
        before = self.instance.settings or {}
        return bool(self._stored()) and any(settings.get(name) != before.get(name) for name in _WHERE)

    def _secrets(self, cleaned: dict[str, Any]) -> dict[str, str]:
        if not cleaned.get("username"):
            return {"password": cleaned["password"]} if cleaned.get("password") else {}
        return {"password": cleaned["password"]} if cleaned.get("password") else self._stored()

    def _stored(self) -> dict[str, str]:
        try:
            return open_secrets(self.instance.sealed_secrets)
        except SealBroken:
            return {}


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    """In the order in which they are asked. The environment's are changed in the environment."""

    form = ProviderForm
    list_display = ("name", "where", "health", "tried_again", "last_failure", "position", "in_use", "project", "origin")
    list_filter = ("state", "origin", ("project", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("project",)
    search_fields = ("name__icontains",)
    ordering = ("channel", "position", "id")
    compressed_fields = True
    warn_unsaved_form = True
    actions = ("try_again",)
    fieldsets = (
        (None, {"fields": (("name", "project"), ("position", "enabled"))}),
        (
            "Server",
            {
                "fields": (
                    ("host", "port"),
                    ("security", "verify"),
                    ("username", "password"),
                    ("from_address", "max_connections"),
                )
            },
        ),
    )
    health_fields = ("health", "tried_again", "consecutive_failures", "last_success", "last_failure")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.fieldsets
        health = (
            "Health",
            {"fields": (("health", "tried_again"), "consecutive_failures", ("last_success", "last_failure"))},
        )
        if obj.origin == Provider.Origin.ENVIRONMENT:
            return ((None, {"fields": (("name", "where"), ("position", "origin"))}), health)
        return (*self.fieldsets, health)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.health_fields, "where", "origin")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.origin == Provider.Origin.ENVIRONMENT:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.origin == Provider.Origin.ENVIRONMENT:
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        """Without deleting many at once, which would take the environment's along."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        # Only what the form holds: workers write health into the same row.
        obj.save(update_fields=["name", "project", "position", "enabled", "settings", "sealed_secrets"])
        if form.is_another_server:
            # What was found out about the server before says nothing about this one.
            Provider.objects.filter(pk=obj.pk).update(**_HEALTHY, health_version=F("health_version") + 1)

    @admin.display(description="Server")
    def where(self, provider: Provider) -> SafeString:
        return display.code(f"{provider.settings.get('host', '')}:{provider.settings.get('port', '')}")

    @admin.display(description="Health", ordering="state")
    def health(self, provider: Provider) -> SafeString:
        if provider.state == Provider.State.PAUSED:
            return display.badge(f"paused: {provider.reason}", "danger")
        return display.badge("healthy", "success")

    @admin.display(description="Tried again")
    def tried_again(self, provider: Provider) -> SafeString | str:
        return display.time(provider.paused_until)

    @admin.display(description="Last success", ordering="last_success_at")
    def last_success(self, provider: Provider) -> SafeString | str:
        return display.time(provider.last_success_at)

    @admin.display(description="Last failure", ordering="last_failure_at")
    def last_failure(self, provider: Provider) -> SafeString | str:
        return display.time(provider.last_failure_at)

    @admin.display(description="Enabled", ordering="enabled", boolean=True)
    def in_use(self, provider: Provider) -> bool:
        return provider.enabled

    @admin.action(description="Try again now", permissions=["change"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        paused = queryset.filter(state=Provider.State.PAUSED)
        log_operated(request, paused, "Tried again.")
        count = paused.update(**_HEALTHY, health_version=F("health_version") + 1)
        messages.success(request, f"Workers ask {count} of them again within seconds.")

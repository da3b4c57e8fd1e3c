"""DKIM keys: their DNS records, ready to be pasted, and the switch. The private key is shown nowhere."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery.dkim_keys import generate_into, zone_line
from delivery.models import DkimKey
from deploy.admin import display
from deploy.admin.base import Form, ModelAdmin


class DkimKeyForm(Form):
    """Makes the key pair of a new key when its names can be those of a DNS record."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance._state.adding and not self.errors:
            self.instance.algorithm = cleaned["algorithm"]  # Django fills the row in only after this
            try:
                generate_into(self.instance, domain=cleaned["domain"], selector=cleaned["selector"])
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
            cleaned |= {"domain": self.instance.domain, "selector": self.instance.selector}
        return cleaned


@admin.register(DkimKey)
class DkimKeyAdmin(ModelAdmin):
    """What signs mail."""

    form = DkimKeyForm
    list_display = ("domain", "selector", "algorithm", "scope", "state", "created")
    list_filter = ("active", "algorithm")
    list_select_related = ("project",)
    search_fields = ("domain__icontains", "selector__icontains")
    ordering = ("-created_at",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = ["domain", "selector", "algorithm", "project"]
        return [*names, "active", "record_name", "record_value", "zone", "created_at"] if obj else names

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        made = ["domain", "selector", "algorithm", "project", "record_name", "record_value", "zone", "created_at"]
        return made if obj else []

    @admin.display(description="Signs for")
    def scope(self, key: DkimKey) -> str:
        return str(key.project or "all projects")

    @admin.display(description="State", ordering="active")
    def state(self, key: DkimKey) -> SafeString:
        return display.badge("active") if key.active else display.badge("off", "warning")

    @admin.display(description="Name of the TXT record")
    def record_name(self, key: DkimKey) -> SafeString:
        return display.code(key.record_name)

    @admin.display(description="Its value")
    def record_value(self, key: DkimKey) -> SafeString:
        return format_html('<pre class="crl-json">{}</pre>', key.public_record)

    @admin.display(description="Or as a line of a zone file")
    def zone(self, key: DkimKey) -> SafeString:
        return format_html('<pre class="crl-json">{}</pre>', zone_line(key))

    @admin.display(description="Created", ordering="created_at")
    def created(self, key: DkimKey) -> SafeString | str:
        return display.time(key.created_at)

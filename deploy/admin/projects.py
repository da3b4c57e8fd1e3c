"""Projects and their API keys. A key is shown on the page that made it and nowhere else, ever."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from deploy.admin import display
from deploy.admin.base import Form, KeptAdmin, back_to, button, log_operated
from notifications import api_keys, ids, texts
from notifications.clock import utc_now
from notifications.models import ApiKey, Project
from notifications.services.projects import create_api_key

_SOON = timedelta(days=14)


class ProjectForm(Form):
    """The contact's address is checked as a recipient's is."""

    def clean_contact_email(self) -> str | None:
        address: str | None = self.cleaned_data.get("contact_email") or None
        try:
            return address and texts.check_email(address)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Project)
class ProjectAdmin(KeptAdmin):
    """Tenants."""

    form = ProjectForm
    list_display = ("name", "public_id", "contact_email", "created")
    search_fields = ("name__icontains",)
    readonly_fields = ("public_id", "created_at")
    fields = ("name", "contact_email", "public_id", "created_at")

    @admin.display(description="Id")
    def public_id(self, project: Project) -> SafeString:
        return display.code(ids.encode("prj", project.pk))

    @admin.display(description="Created", ordering="created_at")
    def created(self, project: Project) -> SafeString | str:
        return display.time(project.created_at)


class ApiKeyForm(Form):
    """Scopes as a list of boxes."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in api_keys.SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="“admin” contains the others.",
    )


@admin.register(ApiKey)
class ApiKeyAdmin(KeptAdmin):
    """Ways into projects; they end by revocation or expiry, not by deletion."""

    form = ApiKeyForm
    list_display = ("name", "shown", "project", "state", "scope_list", "expires", "created")
    list_filter = (("project", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("project",)
    search_fields = ("name__icontains", "public_id__exact")
    search_help_text = "Name, or the part of the key between crl_ and the next underscore"
    ordering = ("-created_at",)
    actions = ("revoke",)
    actions_detail = ("revoke_this",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        made = ["shown", "state", "created_at", "revoked_at"]
        return ["project", "name", "scopes", "expires_at", *(made if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["project", "shown", "state", "created_at", "revoked_at"] if obj else []

    def has_operate_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_change_permission(request)

    @admin.display(description="Key", ordering="public_id")
    def shown(self, key: ApiKey) -> SafeString:
        return display.code(f"crl_{key.public_id}_…")

    @admin.display(description="State")
    def state(self, key: ApiKey) -> SafeString:
        now = utc_now()
        if key.revoked_at is not None:
            return display.badge("revoked")
        if not key.is_usable(now):
            return display.badge("expired", "danger")
        if key.expires_at is not None and key.expires_at < now + _SOON:
            return display.badge("expires soon", "warning")
        return display.badge("active")

    @admin.display(description="Scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description="Expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> SafeString | str:
        return display.time(key.expires_at) if key.expires_at else "never"

    @admin.display(description="Created", ordering="created_at")
    def created(self, key: ApiKey) -> SafeString | str:
        return display.time(key.created_at)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        row, key = create_api_key(project=obj.project, name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at)
        obj.pk, obj.public_id, obj._state = row.pk, row.public_id, row._state
        # Lives on this one object until the answer is rendered; no cookie, session or log ever holds it.
        obj.fresh_key = key

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "API key created",
            "opts": self.opts,
            "api_key": obj,
            "list_url": reverse("admin:notifications_apikey_changelist"),
        }
        return TemplateResponse(request, "admin/api_key_created.html", context, headers={"Cache-Control": "no-store"})

    @admin.action(description="Revoke", permissions=["operate"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        usable = queryset.filter(revoked_at__isnull=True)
        log_operated(request, usable, "Revoked.")
        count = usable.update(revoked_at=utc_now())
        messages.success(request, f"Revoked {count} of {queryset.count()} keys. They stop working within seconds.")

    @button(
        description="Revoke",
        icon="block",
        danger=True,
        question="Requests with this key will be refused within seconds. This cannot be undone.",
    )
    def revoke_this(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self.revoke(request, ApiKey.objects.filter(pk=object_id))
        return back_to(request, reverse("admin:notifications_apikey_change", args=[object_id]))

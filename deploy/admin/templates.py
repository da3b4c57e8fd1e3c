"""Templates, layouts and partials: written beside a live preview, kept in versions."""

import json
from typing import Any, Final, cast
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget

from delivery.previews import preview_draft
from deploy.admin import display
from deploy.admin.base import Form, ModelAdmin, ReadOnlyAdmin, back_to, button, log_operated
from notifications import texts
from notifications.conf import conf
from notifications.errors import CarillonError, Fault, Invalid
from notifications.models import Template, TemplateVersion
from notifications.services import templates as services
from notifications.templating.sample import Sample

_MAX_BODY: Final = 512 * 1024
_EMPTY: Final = {"email": {"default": {"subject": "", "body": "", "layout": "default"}}}


class TemplateForm(Form):
    """The texts as JSON, which the editor beside it writes; checked as the API checks them."""

    variants = forms.JSONField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false"}),
        help_text="What is said, by channel and locale. Every change becomes a version.",
    )

    class Meta:
        model = Template
        fields = ("project", "key", "kind", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        published = self.instance.published
        self.fields["variants"].initial = published.variants if published is not None else _EMPTY

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                texts.check_key(self._value("key"))
                with transaction.atomic():
                    self._put()
                    transaction.set_rollback(True)
            except ValueError as error:
                self.add_error("key", str(error))
            except Invalid as error:
                for fault in error.faults:
                    self.add_error("key" if fault.pointer == "/key" else "variants", _sentence(fault))
        return cleaned

    def save_version(self) -> Template:
        """Publish what was written."""
        return self._put()

    def _put(self) -> Template:
        project = self.cleaned_data.get("project") or self.instance.project
        return services.put_template(
            project_id=project.id,
            key=self._value("key"),
            kind=self._value("kind"),
            name=self.cleaned_data.get("name", ""),
            variants=self.cleaned_data["variants"],
        )[0]

    def _value(self, name: str) -> str:
        return str(self.cleaned_data.get(name) or getattr(self.instance, name))


def _sentence(fault: Fault) -> str:
    return f"{fault.pointer.removeprefix('/variants')}: {fault.detail}".removeprefix(": ")


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    """What is said."""

    form = TemplateForm
    list_display = ("key", "kind_badge", "name", "project", "version", "changed")
    list_filter = ("kind", "project")
    list_select_related = ("project", "published")
    search_fields = ("key__icontains", "name__icontains")
    search_help_text = "A part of the key or name"
    ordering = ("key",)
    compressed_fields = True
    warn_unsaved_form = True
    change_form_after_template = "admin/template_editor.html"

    class Media:
        css = {"all": ("carillon/template_editor.css",)}
        js = ("carillon/template_editor.js",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [("project", "key"), ("kind", "name"), "variants"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["project", "key", "kind"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        own = path("preview/", self.admin_site.admin_view(self.preview), name="notifications_template_preview")
        return [own, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The page with what its editor must know."""
        template = Template.objects.filter(id=object_id).first() if object_id and _is_uuid(object_id) else None
        editor = {
            "channels": sorted(conf().channels),
            "kind": template.kind if template else None,
            "key": template.key if template else None,
            "project": str(template.project_id) if template else None,
        }
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "editor": editor})

    def get_actions(self, request: HttpRequest) -> Any:
        """Not many removed at once: each is asked for whether somebody names it."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        saved = cast(TemplateForm, form).save_version()
        obj.pk, obj.published = saved.pk, saved.published
        obj._state.adding = False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its versions go with it; nobody needs to be allowed to remove those alone."""
        shown, counts, needed, protected = super().get_deleted_objects(objs, request)
        return shown, counts, set(needed) - {TemplateVersion._meta.verbose_name}, protected

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        try:
            services.delete_template(project_id=obj.project_id, key=obj.key)
        except CarillonError as error:
            raise PermissionDenied(error.detail) from None

    def preview(self, request: HttpRequest) -> JsonResponse:
        """What is being written, as it would be sent; nothing is kept."""
        if request.method != "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        try:
            if len(request.body) > _MAX_BODY:
                raise ValueError
            asked: Any = json.loads(request.body)
            shown = preview_draft(
                UUID(asked["project"]),
                kind=str(asked["kind"]),
                key=texts.check_key(str(asked["key"] or "draft")),
                variants=asked["variants"],
                channel=str(asked["channel"]),
                sample=_sample(asked),
            )
        except Invalid as error:
            return JsonResponse({"faults": [_sentence(fault) for fault in error.faults[:5]]})
        except (ValueError, KeyError, TypeError, AttributeError):
            return JsonResponse({"faults": ["Choose a project and a key, and give the sample as JSON."]})
        names = ("title", "body", "action_url", "subject", "html", "text", "locale", "undefined")
        return JsonResponse({name: getattr(shown, name) for name in names})

    @admin.display(description="Kind", ordering="kind")
    def kind_badge(self, template: Template) -> SafeString:
        return display.badge(template.kind, "info" if template.kind == "template" else "plain")

    @admin.display(description="Version")
    def version(self, template: Template) -> int | None:
        return template.published.number if template.published else None

    @admin.display(description="Changed", ordering="updated_at")
    def changed(self, template: Template) -> SafeString | str:
        return display.time(template.updated_at)


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReadOnlyAdmin):
    """What was said, and when; an older version can be used again."""

    list_display = ("template", "number", "in_use", "created")
    list_select_related = ("template__published",)
    search_fields = ("template__key__iexact",)
    fields = ("template", "number", "in_use", "references", "texts_then", "created_at")
    readonly_fields = fields
    actions_detail = ("use_this",)

    @admin.display(description="In use", boolean=True)
    def in_use(self, version: TemplateVersion) -> bool:
        return version.template.published_id == version.id

    @admin.display(description="Texts")
    def texts_then(self, version: TemplateVersion) -> SafeString | str:
        return display.pretty(version.variants)

    @admin.display(description="Created", ordering="created_at")
    def created(self, version: TemplateVersion) -> SafeString | str:
        return display.time(version.created_at)

    @button(description="Use this version", icon="history", question="From now on, this is what will be said.")
    def use_this(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        version = TemplateVersion.objects.select_related("template").get(id=object_id)
        template = version.template
        try:
            services.publish_version(project_id=template.project_id, key=template.key, number=version.number)
            log_operated(request, Template.objects.filter(id=template.id), f"Used version {version.number} again.")
        except CarillonError as error:
            self.message_user(request, error.detail, "error")
        return back_to(request, f"/admin/notifications/template/{template.id}/change/")


def _sample(asked: dict[str, Any]) -> Sample:
    given = json.loads(asked["sample"] or "{}")
    return Sample(
        locale=str(asked["locale"]) if asked.get("locale") else None,
        timezone=texts.check_timezone(given["timezone"]) if "timezone" in given else None,
        data=dict(given.get("data", {})),
        recipient=dict(given.get("recipient", {})),
        actor=dict(given["actor"]) if given.get("actor") else None,
        items=list(given.get("items", []))[:1000],
    )


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

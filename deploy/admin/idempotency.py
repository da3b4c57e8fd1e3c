"""Idempotency keys and the answers they replay; to be looked at only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deploy.admin import display
from deploy.admin.base import ReadOnlyAdmin
from notifications.models import IdempotencyKey


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """First answers, kept for a day."""

    list_display = ("key", "status", "project_name", "created")
    list_filter = (("project", admin.RelatedFieldListFilter),)
    search_fields = ("key__exact",)
    search_help_text = "The whole Idempotency-Key"
    fields = ("key", "project_name", "status", "response_text", "headers_json", "fingerprint", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("project")

    @admin.display(description="Project")
    def project_name(self, key: IdempotencyKey) -> str:
        return str(display.related(key, "project") or display.NONE)

    @admin.display(description="Response")
    def response_text(self, key: IdempotencyKey) -> SafeString:
        return format_html('<pre class="crl-json">{}</pre>', key.response)

    @admin.display(description="Headers")
    def headers_json(self, key: IdempotencyKey) -> SafeString | str:
        return display.pretty(key.headers)

    @admin.display(description="Created", ordering="id")
    def created(self, key: IdempotencyKey) -> SafeString | str:
        return display.time(key.created_at)

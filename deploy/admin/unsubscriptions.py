"""What recipients do not want any more. Made by them; an operator may end one when they ask for it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from deploy.admin import display, search
from deploy.admin.base import LargeAdmin
from deploy.admin.filters import ChannelFilter, CreatedFilter
from notifications.models import Unsubscription


@admin.register(Unsubscription)
class UnsubscriptionAdmin(LargeAdmin):
    """Who gets nothing of which category."""

    list_display = ("recipient", "category", "channel", "source", "project", "created")
    list_filter = (ChannelFilter, "source", ("project", admin.RelatedOnlyFieldListFilter), CreatedFilter)
    list_select_related = ("recipient", "project")
    search_fields = ("id",)
    search_help_text = "A recipient's id or email"
    fields = ("recipient", "category", "channel", "source", "project", "created_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.delete_unsubscription")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.of_recipient(queryset, term) if term else queryset), False

    @admin.display(description="Since", ordering="id")
    def created(self, unsubscription: Unsubscription) -> SafeString | str:
        return display.time(unsubscription.created_at)

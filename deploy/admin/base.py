"""What all admin pages of ours share: unfold's look with types, read-only pages, and care for big tables."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import OperationalError, connection, transaction
from django.db.models import JSONField, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from psycopg.errors import QueryCanceled
from unfold.decorators import action as unfold_action
from unfold.enums import ActionVariant

from deploy.admin.json_fields import ReadableJSONField
from deploy.admin.paginator import EstimatedPaginator

if TYPE_CHECKING:
    # Unfold ships no types; its classes keep Django's interface.
    from django.contrib import admin

    Form = ModelForm[Any]

    class ModelAdmin(admin.ModelAdmin[Any]):
        def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]: ...

    class TabularInline(admin.TabularInline[Any, Any]):
        pass
else:
    from unfold.admin import ModelAdmin, TabularInline

    Form = ModelForm

__all__ = [
    "AppendOnlyInline",
    "Form",
    "KeptAdmin",
    "LargeAdmin",
    "ModelAdmin",
    "ReadOnlyAdmin",
    "TabularInline",
    "back_to",
    "button",
    "log_operated",
]

F = TypeVar("F", bound=Callable[..., Any])
_LOGGED_AT_ONCE = 500
LIST_LIMIT: Final = "10s"
_TOO_SLOW: Final = (
    "PostgreSQL needed longer than 10 s for this list. Narrow it down: a filter by time or state, or a whole id."
)


class KeptAdmin(ModelAdmin):
    """Rows that are made and changed here but never deleted by hand, because history points at them."""

    list_per_page = 50
    compressed_fields = True
    warn_unsaved_form = True
    formfield_overrides: ClassVar[Any] = {JSONField: {"form_class": ReadableJSONField}}

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LargeAdmin(KeptAdmin):
    """A table that grows without end: no exact counts, newest first by primary key."""

    paginator = EstimatedPaginator
    show_full_result_count = False
    ordering = ("-id",)
    show_facets = ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """A question that no index answers ends after a while and says so, instead of holding a connection for minutes."""
        if request.method != "GET":
            return super().changelist_view(request, extra_context)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [LIST_LIMIT])
                response = super().changelist_view(request, extra_context)
                return (
                    response.render() if isinstance(response, TemplateResponse) else response
                )  # its rows are read now
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
        if not request.GET:
            return HttpResponse(_TOO_SLOW, status=503, content_type="text/plain")
        messages.error(request, _TOO_SLOW)
        return HttpResponseRedirect(request.path)


class ReadOnlyAdmin(LargeAdmin):
    """Rows that the machine writes; people look at them and at most press an action's button."""

    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Who may press the buttons: whoever the permission to change these rows was given to."""
        user = request.user
        return user.is_active and user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")


class AppendOnlyInline(TabularInline):
    """Related rows shown in a table, not to be touched from there."""

    extra = 0
    can_delete = False
    show_change_link = True
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def button(*, description: str, icon: str, question: str, submit: str = "", danger: bool = False) -> Callable[[F], F]:
    """A button of a detail page. It asks first, so that the change is made by a POST with a CSRF token, never by a GET.

    `submit` is what the dialog's own button says, where `description` would read like its "Cancel".
    """
    decorator = unfold_action(
        description=description,
        icon=icon,
        permissions=["operate"],
        variant=ActionVariant.DANGER if danger else ActionVariant.PRIMARY,
        dialog={
            "title": description,
            "description": question,
            "form_class": None,
            "form_submit_text": submit or description,
        },
    )
    return cast(Callable[[F], F], decorator)


def back_to(request: HttpRequest, url: str) -> HttpResponse:
    """Leave a button's dialog for `url`; the dialog is htmx's, a browser without scripts gets a plain redirect."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def log_operated(request: HttpRequest, rows: QuerySet[Any], said: str) -> None:
    """Write into the admin's history who did this to which rows (the first few hundred of a huge selection)."""
    assert request.user.pk is not None  # the admin lets nobody else in
    LogEntry.objects.log_actions(request.user.pk, rows[:_LOGGED_AT_ONCE], CHANGE, change_message=said)

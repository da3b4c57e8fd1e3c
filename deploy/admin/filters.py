"""Filters of the lists: time by ranges of the primary key, and questions an operator asks at night."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from delivery.models import Run
from delivery.states import OPEN, TERMINAL, State
from deploy.admin import search, when
from deploy.admin.display import GOOD_OUTCOMES
from notifications.conf import conf
from notifications.models import Workflow, WorkflowVersion

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter

OVERDUE: Final = timedelta(minutes=1)
"""Sweeps come every few seconds, so what has been due for this long is not being looked at."""

_MOST_WORKFLOWS: Final = 200
_SPANS: Final = {
    "15m": ("Last 15 minutes", timedelta(minutes=15)),
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}


class ChoiceFilter(DropdownFilter):
    """A drop-down whose every choice is one condition."""

    conditions: dict[str, tuple[str, Callable[[], Q]]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.conditions.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen[1]())


def _created_since(span: timedelta) -> Callable[[], Q]:
    return lambda: Q(id__gte=when.since(span))


class CreatedFilter(ChoiceFilter):
    """How long ago; ids are UUIDv7, so this is a range scan of the primary key."""

    title = "created"
    parameter_name = "created"
    conditions = {key: (label, _created_since(span)) for key, (label, span) in _SPANS.items()}


def overdue() -> Q:
    """Open rows that should have been looked at more than a minute ago."""
    return Q(available_at__lt=Now() - OVERDUE)


class ProgressFilter(ChoiceFilter):
    """Whether work is still to be done on a delivery."""

    title = "progress"
    parameter_name = "progress"
    conditions = {
        "overdue": ("Stuck: due for over a minute", overdue),
        "open": ("Open", lambda: Q(state__in=sorted(OPEN), available_at__isnull=False)),
        "finished": ("Finished", lambda: Q(state__in=sorted(TERMINAL))),
    }


class NotificationProgressFilter(ChoiceFilter):
    """Whether a notification still waits to be routed."""

    title = "progress"
    parameter_name = "progress"
    conditions = {
        "overdue": ("Stuck: due for over a minute", overdue),
        "open": ("Waiting to be routed", lambda: Q(available_at__isnull=False)),
    }


class StateFilter(DropdownFilter):
    """A delivery's state."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, state.value.capitalize()) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class ChannelFilter(DropdownFilter):
    """A delivery's or endpoint's channel: the configured ones, so that no table is scanned for its distinct values."""

    title = "channel"
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(channel, channel) for channel in sorted(conf().channels)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(channel=self.value()) if self.value() else queryset


class UsesChannelFilter(ChannelFilter):
    """Notifications that ask for a channel."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(channels__contains=[self.value()]) if self.value() else queryset


class OutcomeFilter(ChoiceFilter):
    """How attempts ended."""

    title = "outcome"
    parameter_name = "outcome_kind"
    conditions = {
        "accepted": ("Accepted by the other side", lambda: Q(outcome__in=GOOD_OUTCOMES)),
        "failed": ("Refused or unreachable", lambda: Q(outcome__isnull=False) & ~Q(outcome__in=GOOD_OUTCOMES)),
        "open": ("No answer yet", lambda: Q(outcome__isnull=True)),
        "late": ("Came too late to count", lambda: Q(applied=False)),
    }


class RunStateFilter(ChoiceFilter):
    """A walk's state; what waits is found by the index of what is due."""

    title = "state"
    parameter_name = "state"
    conditions = {
        "waiting": ("Waiting", lambda: Q(state=Run.State.WAITING, available_at__isnull=False)),
        "overdue": ("Stuck: due for over a minute", overdue),
        "done": ("Done", lambda: Q(state=Run.State.DONE)),
        "cancelled": ("Cancelled", lambda: Q(state=Run.State.CANCELLED)),
        "expired": ("Expired", lambda: Q(state=Run.State.EXPIRED)),
        "failed": ("Failed", lambda: Q(state=Run.State.FAILED)),
    }


class DigestStateFilter(ChoiceFilter):
    """Whether a digest still collects."""

    title = "state"
    parameter_name = "state"
    conditions = {
        "open": ("Open", lambda: Q(joinable=True)),
        "sealed": ("Full or due, about to close", lambda: Q(joinable=False, closed_at__isnull=True)),
        "overdue": (
            "Stuck: should have closed over a minute ago",
            lambda: Q(closed_at__isnull=True, closes_at__lt=Now() - OVERDUE),
        ),
        "closed": ("Closed", lambda: Q(closed_at__isnull=False)),
    }


class WorkflowFilter(DropdownFilter):
    """A digest's workflow, whatever its version."""

    title = "workflow"
    parameter_name = "workflow"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Workflow.objects.select_related("project").order_by("project__name", "key")[:_MOST_WORKFLOWS]
        several = len({row.project_id for row in rows}) > 1
        return [(str(row.pk), f"{row.project}: {row.key}" if several else row.key) for row in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        workflow = search.plain_uuid(self.value() or "")
        return queryset if workflow is None else self.of(queryset, workflow)

    def of(self, queryset: QuerySet[Any], workflow: UUID) -> QuerySet[Any]:
        """The rows of this workflow."""
        return queryset.filter(workflow_id=workflow)


class VersionWorkflowFilter(WorkflowFilter):
    """The workflow of rows that name their version. Its versions are few, and read first."""

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        self._column = "version_id" if model is Run else "workflow_version_id"
        super().__init__(request, params, model, model_admin)

    def of(self, queryset: QuerySet[Any], workflow: UUID) -> QuerySet[Any]:
        versions = list(WorkflowVersion.objects.filter(workflow_id=workflow).values_list("id", flat=True))
        return queryset.filter(**{f"{self._column}__in": versions})

"""Which workflow rows of a list are about, and what they went out on: a few questions for a whole page, whatever the table's size."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.db import connection

from notifications.models import WorkflowVersion

# A few of each notification's deliveries tell its channels; a topic's may be a million.
_CHANNELS: Final = """
    SELECT n.id, array_agg(DISTINCT d.channel ORDER BY d.channel) FROM unnest(%s::uuid[]) AS n (id)
     CROSS JOIN LATERAL (SELECT channel FROM delivery_delivery WHERE notification_id = n.id LIMIT 200) AS d GROUP BY n.id"""


def versions_by_id(version_ids: Iterable[UUID | None]) -> dict[UUID, WorkflowVersion]:
    """These versions with their workflows, by id."""
    wanted = {each for each in version_ids if each is not None}
    rows = WorkflowVersion.objects.filter(id__in=wanted).select_related("workflow") if wanted else ()
    return {row.id: row for row in rows}


def name_of(version: WorkflowVersion) -> str:
    """As its author called it, or by its key."""
    return str(version.definition.get("name") or version.workflow.key)


def step_keys(version: WorkflowVersion) -> list[str]:
    """In order; of what an older release stored too."""
    return [str(step.get("key", "")) for step in version.definition.get("steps", []) if isinstance(step, dict)]


def channels_by_notification(notification_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """What each went out on so far."""
    wanted = list(notification_ids)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_CHANNELS, [wanted])
        found: list[Any] = cursor.fetchall()
    return dict(found)

"""Taking an erased person out of what schedules would submit. One that is left for nobody pauses, and says why."""

from typing import Any, Final
from uuid import UUID

from notifications.clock import utc_now
from schedules.models import Schedule
from schedules.selectors import schedules_naming
from schedules.services import save, set_paused

_ABOUT_THEM: Final = ("content", "data", "metadata", "thread", "cancellation_key")
"""What was said to nobody else says nothing any more."""


def forget_scheduled(*, project_id: UUID, external_id: str) -> None:
    """In the caller's transaction, before any notification is locked: firing locks its schedule first, too."""
    naming = schedules_naming(project_id=project_id, external_id=external_id)
    for schedule in naming.select_for_update(no_key=True).order_by("id"):
        schedule.notification = without(schedule.notification, external_id)
        if not schedule.notification["recipients"]:
            set_paused(schedule, True, utc_now())
            schedule.pause_reason = Schedule.PauseReason.RECIPIENT_ERASED
        save(schedule)


def without(notification: dict[str, Any], external_id: str) -> dict[str, Any]:
    """The submission for the others, and as who did it for nobody. Pure."""
    entries = notification["recipients"]
    left = [entry for entry in entries if not is_entry_of(entry, external_id)]
    dropped = {"actor"} if notification.get("actor") == external_id else set()
    if not left:
        dropped.update(_ABOUT_THEM)
    return {name: value for name, value in notification.items() if name not in dropped} | {"recipients": left}


def is_entry_of(entry: Any, external_id: str) -> bool:
    """Whether this entry of `recipients` is the person, by id or in line. Pure."""
    return bool(external_id == (entry.get("id") if isinstance(entry, dict) else entry))

"""What happens by the clock, for Celery Beat: the sweep behind every wake-up, and the forgetting.

Beat's database scheduler copies these into its tables, where the admin shows and changes them. Each is safe to run twice,
late or never: the sweep only claims what is due, and the workers sweep by themselves as well.
"""

from typing import Any, Final
from uuid import UUID

SWEEP_TASK: Final = "delivery.sweep"
FIRE_TASK: Final = "schedules.fire"
FORGET_TASK: Final = "schedules.forget"
INSPECT_TASK: Final = "delivery.inspect"
HISTORY_TASK: Final = "delivery.forget"
POLL_TASK: Final = "delivery.poll_bounces"

BEAT_SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    "sweep: claim whatever is due": {"task": SWEEP_TASK, "schedule": 5.0, "options": {"expires": 5}},
    "forget: drop old idempotency keys": {"task": FORGET_TASK, "schedule": 3600.0, "options": {"expires": 600}},
    "history: drop what ended long ago": {"task": HISTORY_TASK, "schedule": 3600.0, "options": {"expires": 600}},
    "inspect: are the laws of delivery kept": {"task": INSPECT_TASK, "schedule": 60.0, "options": {"expires": 30}},
    "bounces: read the bounce mailbox": {"task": POLL_TASK, "schedule": 60.0, "options": {"expires": 60}},
}


def entry_name(key: str, schedule_id: UUID) -> str:
    """The name of a schedule's entry in Beat's table; it holds the id, so it is one schedule's for good."""
    return f"schedule: {key[:140]} ({schedule_id})"

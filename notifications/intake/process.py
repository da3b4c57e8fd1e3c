"""The intake of this process: made on first use, on the loop that serves its requests."""

from notifications.bell import bell
from notifications.conf import conf
from notifications.events import ROUTE_TASK
from notifications.intake.queue import Intake

_intake: Intake | None = None


def intake() -> Intake:
    """The process's intake, started. Call it on the event loop that serves requests."""
    global _intake
    if _intake is None:
        ringer = bell()
        _intake = Intake(conf(), on_commit=lambda: ringer.ring(ROUTE_TASK))
        _intake.start()
    return _intake


async def stop_intake() -> None:
    """Answer what is waiting and forget the intake; for the end of the process."""
    global _intake
    if _intake is not None:
        await _intake.stop()
        _intake = None

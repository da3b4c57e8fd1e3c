"""Acknowledging from outside the inbox, and telling the recipient's devices of it."""

from uuid import UUID

from api.inbox import answered
from notifications.executor import in_thread
from notifications.inbox.acknowledging import acknowledge_with_messages
from notifications.inbox.process import inbox_door
from notifications.models import Recipient


async def acknowledge_everywhere(*, notification_id: UUID, recipient_pk: UUID) -> None:
    """The notification, and what this recipient has of it in the inbox. Raises `NotFound`, or `Unavailable` without PostgreSQL."""
    door = await inbox_door()

    async def work() -> None:
        async with door.access.connection() as conn:
            events = await acknowledge_with_messages(conn, notification_id=notification_id, recipient_pk=recipient_pk)
        # Here, so that it happens too when the answer comes too late for whoever asked.
        await door.publish(events)

    await answered(work())


async def acknowledge_for(external_id: str, *, project_id: UUID, notification_id: UUID) -> None:
    """The same by the caller's id of the recipient; nothing is to be told to one who is not known."""

    def find() -> UUID | None:
        found = Recipient.objects.filter(project_id=project_id, external_id=external_id)
        return found.values_list("pk", flat=True).first()

    if (recipient_pk := await in_thread(find)) is not None:
        await acknowledge_everywhere(notification_id=notification_id, recipient_pk=recipient_pk)

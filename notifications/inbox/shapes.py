"""How a message and a change of an inbox look outside: one shape for the socket, live events and HTTP."""

from datetime import datetime
from typing import Any
from uuid import UUID

from notifications import ids
from notifications.events import LAYER_MESSAGE_TYPE, InboxEventName, LiveEvent
from notifications.texts import format_time, optional_time


def message_out(
    *,
    id: UUID,
    offset: int,
    title: str,
    body: str,
    action_url: str | None,
    category: str | None,
    actor: str | None,
    data: dict[str, Any],
    created_at: datetime,
    seen_at: datetime | None = None,
    read_at: datetime | None = None,
    archived_at: datetime | None = None,
    acknowledged_at: datetime | None = None,
) -> dict[str, Any]:
    """One in-app message as clients see it; `offset` is that of the change that created it.

    One that is gone looks the same, with nothing of what it said.
    """
    return {
        "id": ids.encode("msg", id),
        "offset": offset,
        "title": title,
        "body": body,
        "action_url": action_url,
        "category": category,
        "actor": actor,
        "data": data,
        "created_at": format_time(created_at),
        "seen_at": optional_time(seen_at),
        "read_at": optional_time(read_at),
        "archived_at": optional_time(archived_at),
        "acknowledged_at": optional_time(acknowledged_at),
    }


def counts_out(*, unread: int, unseen: int) -> dict[str, int]:
    """The badge's numbers: of messages that are not archived."""
    return {"unread": unread, "unseen": unseen}


def live_event(
    *,
    recipient_pk: UUID,
    epoch: UUID,
    offset: int,
    event: InboxEventName,
    message: dict[str, Any],
    unread: int,
    unseen: int,
) -> LiveEvent:
    """One change as it travels through the channel layer; `message` as `message_out`, the counts after the change."""
    return LiveEvent(
        type=LAYER_MESSAGE_TYPE,
        recipient=recipient_pk.hex,
        epoch=str(epoch),
        offset=offset,
        event=event,
        message=message,
        counts=counts_out(unread=unread, unseen=unseen),
    )

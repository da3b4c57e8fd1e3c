"""What meets without importing: names of groups, shapes of live events, names of wake-up tasks.

The in-app channel (`delivery`) publishes and the inbox socket (`consumers`) listens; neither knows the other, both know this.
A live event is a hint: it carries the change so that it can be shown at once, but the inbox log in PostgreSQL is
the truth and is read again whenever an offset is missing.
"""

from typing import Any, Final, Literal, TypedDict
from uuid import UUID

ROUTE_TASK: Final = "delivery.route"
SEND_TASK: Final = "delivery.send"

InboxEventName = Literal["message.created", "message.updated"]
LAYER_MESSAGE_TYPE: Final = "inbox.event"


class LiveEvent(TypedDict):
    """One change of one inbox, as it travels through the channel layer (`type` names the layer's handler)."""

    type: str
    recipient: str  # hex of the recipient's UUID
    epoch: str
    offset: int
    event: InboxEventName
    message: dict[str, Any]  # as `inbox.message_out`
    counts: dict[str, int]  # {"unread": n, "unseen": n}


def inbox_group(recipient_pk: UUID) -> str:
    """The Channels group of one recipient's inbox; letters, digits and dots only, well under 100 characters."""
    return f"inbox.{recipient_pk.hex}"

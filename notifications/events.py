"""What meets without importing: names of groups, shapes of live events, names of wake-up tasks.

The in-app channel (`delivery`) publishes and the inbox socket (`consumers`) listens; neither knows the other, both know this.
A live event is a hint: it carries the change so that it can be shown at once, but the inbox log in PostgreSQL is
the truth and is read again whenever an offset is missing.
"""

from typing import Any, Final, Literal, TypedDict, TypeGuard
from uuid import UUID

ROUTE_TASK: Final = "delivery.route"
SEND_TASK: Final = "delivery.send"

InboxEventName = Literal["message.created", "message.updated", "message.deleted", "message.expired"]
LAYER_MESSAGE_TYPE: Final = "inbox.event"
ACCESS_MESSAGE_TYPE: Final = "inbox.access"


class LiveEvent(TypedDict):
    """One change of one inbox, as it travels through the channel layer (`type` names the layer's handler)."""

    type: str
    recipient: str  # hex of the recipient's UUID
    epoch: str
    offset: int
    event: InboxEventName
    message: dict[str, Any]  # as `inbox.message_out`
    counts: dict[str, int]  # {"unread": n, "unseen": n}


class AccessHint(TypedDict):
    """Who may open one inbox has changed: tokens were revoked, or the recipient was erased. PostgreSQL says which."""

    type: str
    recipient: str  # hex of the recipient's UUID


Hint = LiveEvent | AccessHint
"""What travels to the group of one recipient's inbox."""


def access_hint(recipient_pk: UUID) -> AccessHint:
    """To be published once the change is committed."""
    return AccessHint(type=ACCESS_MESSAGE_TYPE, recipient=recipient_pk.hex)


def is_change(hint: Hint) -> TypeGuard[LiveEvent]:
    """Whether this is a change of the inbox's contents."""
    return hint["type"] == LAYER_MESSAGE_TYPE


def inbox_group(recipient_pk: UUID) -> str:
    """The Channels group of one recipient's inbox; letters, digits and dots only, well under 100 characters."""
    return f"inbox.{recipient_pk.hex}"

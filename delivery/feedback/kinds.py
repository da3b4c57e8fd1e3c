"""What can be reported about a delivery after it was sent, whoever reports it. Pure.

A report names the delivery by its id, which is part of every mail's `Message-ID` and cannot be guessed: who was never
written to can report nothing.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from notifications import ids

_STATUS: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_OF_THE_SENDER: Final = frozenset({7, 8})  # 5.1.7 and 5.1.8 speak about the sender
_MESSAGE_ID: Final = re.compile(r"(dlv_[0-9a-hjkmnp-tv-z]{26})(?=@)")


class Kind(StrEnum):
    """What happened. A bounce is final; what is only late is deferred."""

    BOUNCE = "bounce"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One report about one delivery. `event_id` begins with its source; `address` is whom the source says it is about."""

    kind: Kind
    delivery_id: UUID
    source: str
    event_id: str
    address: str | None = field(default=None, repr=False)
    status: str = ""
    detail: str = field(default="", repr=False)
    occurred_at: datetime | None = None


def is_status(text: str) -> bool:
    """Whether `text` is an enhanced status code (RFC 3463)."""
    return _STATUS.fullmatch(text) is not None


def condemns_address(status: str) -> bool:
    """Whether a bounce with this status says that nobody is at the address, ever: 5.1.x, as for replies to RCPT.

    A full mailbox (5.2.2) or a policy (5.7.x) may be otherwise tomorrow.
    """
    found = _STATUS.fullmatch(status)
    return found is not None and found[1] == "5" and found[2] == "1" and int(found[3]) not in _OF_THE_SENDER


def delivery_of_message_id(text: str) -> UUID | None:
    """The delivery behind the first `<dlv_...@domain>` in a header's value."""
    found = _MESSAGE_ID.search(text)
    return ids.decode("dlv", found[1]) if found else None

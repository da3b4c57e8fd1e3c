"""The states of a delivery and what each means for work still to be done. Pure."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The contract's delivery states; every delivery ends in exactly one of the terminal ones."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    RETRYING = "retrying"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    DIGESTED = "digested"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN: Final = frozenset({State.SCHEDULED, State.QUEUED, State.SENDING, State.RETRYING})
TERMINAL: Final = frozenset(State) - OPEN
CANCELLABLE: Final = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING})
RETRYABLE: Final = frozenset({State.FAILED, State.EXPIRED, State.CANCELLED})
"""Terminal states out of which an operator may send a delivery on its way once more."""
REPLAYABLE: Final = RETRYABLE | {State.SENT}
"""The same where what was sent is explicitly asked for again: a receiver may have lost it."""

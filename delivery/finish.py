"""One attempt that is over: what is to be recorded of it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from delivery.retries import Verdict
from delivery.troubles import Health


@dataclass(frozen=True, slots=True)
class Finish:
    """Everything about the end of one attempt. Its token is the claim's, and fences."""

    delivery_id: UUID
    token: UUID
    endpoint_id: UUID | None
    channel: str
    verdict: Verdict
    duration_ms: int
    response: dict[str, Any]
    request: dict[str, Any] | None = None
    address: str | None = field(default=None, repr=False)
    """Whom an email was written to."""
    health: Health | None = None

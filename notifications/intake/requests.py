"""What waits at the front door and what it is answered. Types only."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from notifications.errors import CarillonError, Invalid
from notifications.intake.submission import Submission


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told: HTTP status, JSON body, headers worth repeating; `replayed` when it was told before."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A request's `Idempotency-Key` and the SHA-256 of what was asked."""

    key: str
    fingerprint: str


@dataclass(slots=True)
class Request:
    """One HTTP request waiting to be accepted: one submission, or many of a bulk call.

    `answer` builds the response from the faults found in the database, by index of submission; it raises
    when nothing of the request is to be kept.
    """

    project_id: UUID
    submissions: list[Submission]
    answer: Callable[[dict[int, Invalid]], Answer]
    idempotency: Idempotency | None = None


Outcome = Answer | CarillonError
Judged = tuple[Outcome, dict[int, Invalid]]  # and the submissions that the database checks refused

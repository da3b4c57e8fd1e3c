"""One walk in memory: where it stands, what it has decided, what it wants said. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from delivery.routing import Target
from notifications.preferences.shapes import Policy
from notifications.workflows.conditions import Condition
from notifications.workflows.definition import AnyStep
from notifications.workflows.versions import Version


@dataclass(frozen=True, slots=True)
class Event:
    """One notification, as walks need it."""

    id: UUID
    project_id: UUID
    data: dict[str, Any]
    category: str | None
    critical: bool
    actor: str | None
    expires_at: datetime | None
    channels: frozenset[str]
    """Which channels the request allows; empty: all that the workflow names."""
    acknowledged_at: datetime | None = None


class Send(msgspec.Struct, frozen=True):
    """Something to be said to somebody on one channel. `label` is the step's key, with its round where it repeats."""

    label: str
    channel: str
    target: Target
    policy: Policy | None = None
    """What the step asks for in quiet hours."""


class Walker(msgspec.Struct, eq=False):
    """A walk under way. Ends as soon as `reason` is set, rests as soon as `waits_until` is."""

    run_id: UUID | None
    """None: it has no row so far."""
    project_id: UUID
    stored: bool
    version: Version
    target: Target
    events: list[Event]
    """What it is about: one notification, or those in its digest, in the order in which they joined."""
    opener_id: UUID
    """The notification its row names."""
    critical: bool
    expires_at: datetime | None
    position: int = 0
    digest_id: UUID | None = None
    memory: dict[str, Any] = {}
    log: list[dict[str, Any]] = []
    facts: dict[str, Any] = {}
    reason: str = ""
    waits_until: datetime | None = None
    said: bool = False
    """Whether a delivery or a digest's item tells of it, so that it needs no row once it has ended."""

    @property
    def event(self) -> Event:
        """The one it speaks for: the latest."""
        return self.events[-1]

    @property
    def step(self) -> AnyStep | None:
        """The step at which it stands; None behind the last."""
        steps = self.version.definition.steps
        return steps[self.position] if self.position < len(steps) else None

    @property
    def condition(self) -> Condition | None:
        """Of the step at which it stands."""
        conditions = self.version.conditions
        return conditions[self.position] if self.position < len(conditions) else None

    def reads(self, root: str) -> bool:
        """Whether the step at which it stands asks about this root."""
        reads = self.version.reads
        return self.position < len(reads) and root in reads[self.position]

    @property
    def rests(self) -> bool:
        return bool(self.reason) or self.waits_until is not None

    def go_on(self) -> None:
        """This step is done."""
        self.position += 1
        self.memory = {}

    def wait(self, until: datetime) -> None:
        self.waits_until = until

    def end(self, *, reason: str) -> None:
        self.reason = reason

    def note(self, code: str, at: datetime, **detail: Any) -> None:
        """Remember a decision; `detail` is JSON."""
        step = self.step
        self.log.append({"step": step.key if step else None, "code": code, "at": at.isoformat(), "detail": detail})

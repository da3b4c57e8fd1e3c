"""What came of a simulation: entries in the order of time. Plain data, told as text, SVG or JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from notifications.texts import format_time, optional_time


class Kind(StrEnum):
    """What an entry tells of."""

    ASKED = "asked"  # a notification was accepted
    DONE = "done"  # cancelled, acknowledged, seen, read
    SCHEDULE = "schedule"  # a schedule's time was missed or refused
    STEP = "step"  # a decision on the walk through a workflow
    JOINED = "joined"  # an event joined a digest
    LEFT = "left"  # or left it
    WAITS = "waits"  # a delivery was put off
    ENDED = "ended"  # a delivery reached its end
    OPEN = "open"  # what is still to come when the simulation ends


RANK = {kind: number for number, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened, or was decided."""

    at: datetime
    kind: Kind
    says: str
    """One word or sentence: a delivery's state, what somebody did, what was decided."""
    notifications: tuple[str, ...] = ()
    recipient: str | None = None
    channel: str | None = None
    title: str | None = None
    step: str | None = None
    code: str = ""
    """A delivery's reason, or a decision's code."""
    since: datetime | None = None
    until: datetime | None = None
    why: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "at": format_time(self.at),
            "kind": str(self.kind),
            "says": self.says,
            "notifications": list(self.notifications),
            "recipient": self.recipient,
            "channel": self.channel,
            "title": self.title,
            "step": self.step,
            "code": self.code or None,
            "since": optional_time(self.since),
            "until": optional_time(self.until),
            "why": list(self.why),
        }


Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One digest: open from its first event until it closed, or until the end where it has not."""

    recipient: str
    step: str
    key: str
    opened: datetime
    closed: datetime | None
    joined: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All of it."""

    name: str
    start: datetime
    until: datetime
    timezone: str
    zones: Mapping[str, str]
    """Each recipient's own time zone."""
    quiet: Mapping[str, tuple[Span, ...]]
    """Each recipient's quiet hours."""
    entries: tuple[Entry, ...]
    batches: tuple[Batch, ...] = ()

    @property
    def went_out(self) -> list[Entry]:
        """Deliveries that reached somebody."""
        return [entry for entry in self.entries if entry.kind is Kind.ENDED and entry.says in ("sent", "delivered")]

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name,
            "start": format_time(self.start),
            "until": format_time(self.until),
            "timezone": self.timezone,
            "recipients": [
                {
                    "id": name,
                    "timezone": zone,
                    "quiet_hours": [[format_time(a), format_time(b)] for a, b in self.quiet.get(name, ())],
                }
                for name, zone in self.zones.items()
            ],
            "digests": [
                {
                    "recipient": batch.recipient,
                    "step": batch.step,
                    "key": batch.key,
                    "opened": format_time(batch.opened),
                    "closed": optional_time(batch.closed),
                    "joined": [format_time(moment) for moment in batch.joined],
                }
                for batch in self.batches
            ],
            "entries": [entry.document() for entry in self.entries],
        }

"""Where everything of a story lies in its picture: lanes from top to bottom, marks from left to right. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from deploy.simulation.story import Batch, Entry, Kind, Story

WENT_OUT = frozenset({"sent", "delivered"})
ASKED = "asked"
_NEAR = 11.0
"""Marks closer than this are drawn as one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Time to the right."""

    start: datetime
    until: datetime
    left: float
    width: float

    def x(self, moment: datetime) -> float:
        """Where a moment is."""
        part = (moment - self.start) / (self.until - self.start)
        return self.left + self.width * min(max(part, 0.0), 1.0)


@dataclass(slots=True)
class Mark:
    """One sign in a lane: one entry, or several that would lie upon each other."""

    x: float
    look: str
    """`out`, `not`, `open`, or `asked`."""
    entries: list[Entry]


@dataclass(slots=True)
class Lane:
    """One line: what was asked for, or one recipient's channel, or one recipient's digests of one step."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """The lanes of one recipient; of nobody: what was asked for."""

    recipient: str | None
    lanes: list[Lane]


def groups_of(story: Story) -> list[Group]:
    """Everybody of whom there is something to show, in the order of the scenario."""
    asked = Lane(ASKED, [entry for entry in story.entries if entry.kind is Kind.ASKED])
    groups = [Group(None, [asked])]
    by_recipient: dict[str, dict[str, Lane]] = defaultdict(dict)
    for entry in story.entries:
        if entry.recipient and entry.channel and entry.kind in (Kind.ENDED, Kind.OPEN):
            lanes = by_recipient[entry.recipient]
            lanes.setdefault(entry.channel, Lane(entry.channel)).entries.append(entry)
    for batch in story.batches:
        by_recipient[batch.recipient].setdefault(f"digest {batch.step}", Lane(batch.step)).batches.append(batch)
    for recipient in story.zones:
        if recipient in by_recipient:
            own = by_recipient[recipient].values()
            in_order = sorted(own, key=lambda lane: (bool(lane.batches), lane.name != "in_app", lane.name))
            groups.append(Group(recipient, in_order))
    return groups


def marks_of(entries: Sequence[Entry], scale: Scale) -> Iterator[Mark]:
    """The marks of one lane, from left to right."""
    held: Mark | None = None
    for entry in entries:
        x, look = scale.x(entry.at), _look(entry)
        if held is not None and held.look == look and x - held.x < _NEAR:
            held.entries.append(entry)
            continue
        if held is not None:
            yield held
        held = Mark(x, look, [entry])
    if held is not None:
        yield held


def _look(entry: Entry) -> str:
    if entry.kind is Kind.ASKED:
        return "asked"
    if entry.kind is Kind.OPEN:
        return "open"
    return "out" if entry.says in WENT_OUT else "not"

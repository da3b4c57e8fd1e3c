"""The book of a receiving side: what came, when, whether it was taken, and whether we said so."""

import time
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Arrival:
    """One copy of something. Taken but not answered: the other side cannot know, and has to send it again."""

    at: float
    taken: bool
    answered: bool = True


@dataclass
class ReceiverBook:
    """By the name that stays the same on every attempt: `webhook-id`, or the delivery in `Message-ID`."""

    arrivals: dict[str, list[Arrival]] = field(default_factory=lambda: defaultdict(list))
    invalid: list[str] = field(default_factory=list)
    misbehaved: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def note(self, name: str, *, taken: bool, answered: bool = True) -> None:
        self.arrivals[name].append(Arrival(time.time(), taken, answered))

    def taken(self, name: str) -> list[Arrival]:
        return [arrival for arrival in self.arrivals.get(name, ()) if arrival.taken]

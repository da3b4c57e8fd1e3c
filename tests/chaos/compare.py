"""The books side by side: what was lost, what came twice, and whether a second copy has an excuse. Pure."""

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.arrivals import Arrival, ReceiverBook
from tests.chaos.database import Row, View
from tests.chaos.faults import Done
from tests.chaos.plan import Kind, Submission

SUCCESS: Final = {"in_app": "delivered", "webhook": "sent", "email": "sent"}
SHOWN: Final = 20


@dataclass
class Copies:
    """Second copies on one channel, by what excuses them. `unexplained` ones are faults of the product."""

    deliveries: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    after_cut: int = 0
    unexplained: list[str] = field(default_factory=list)

    @property
    def after_kill(self) -> int:
        return self.by_kind.total()

    @property
    def share_after_kill(self) -> float:
        return self.after_kill / self.deliveries if self.deliveries else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "deliveries": self.deliveries,
            "after_kill": self.after_kill,
            "after_kill_by_kind": dict(sorted(self.by_kind.items())),
            "after_kill_percent": round(100 * self.share_after_kill, 3),
            "after_cut": self.after_cut,
            "unexplained": len(self.unexplained),
        }


@dataclass
class Losses:
    """What is missing; each a list of what to look for in the logs."""

    no_row: list[str] = field(default_factory=list)
    not_terminal: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    never_came: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        return [*self.no_row, *self.not_terminal, *self.failed, *self.never_came]


def find_losses(
    submissions: Iterable[Submission], accepted: dict[int, str], view: View, hooks: ReceiverBook, mails: ReceiverBook
) -> Losses:
    """Every delivery that a 202 promised must be there, have ended well, and have come."""
    losses = Losses()
    known = {number for _, number in view.notifications}
    rows = {(row.number, row.recipient, row.channel): row for row in view.deliveries}
    stored = {(message.number, message.recipient) for message in view.messages}
    for each in submissions:
        if each.number not in accepted:
            continue
        if each.number not in known:
            losses.no_row.append(f"no. {each.number}: answered with 202, but there is no notification")
            continue
        for recipient in each.recipients:
            for channel in each.channels:
                name = f"no. {each.number} to {recipient} by {channel}"
                row = rows.get((each.number, recipient, channel))
                if row is None:
                    losses.no_row.append(name)
                elif row.finished_at is None:
                    losses.not_terminal.append(f"{name}: {row.id} is {row.state}")
                elif row.state != SUCCESS[channel]:
                    losses.failed.append(f"{name}: {row.id} is {row.state} ({row.reason})")
                elif not _came(row, stored, hooks, mails):
                    losses.never_came.append(f"{name}: {row.id}")
    return losses


def _came(row: Row, stored: set[tuple[int, str]], hooks: ReceiverBook, mails: ReceiverBook) -> bool:
    if row.channel == "in_app":
        return (row.number, row.recipient) in stored
    return bool((hooks if row.channel == "webhook" else mails).taken(row.id))


def find_copies(channel: str, book: ReceiverBook, view: View, faults: list[Done], *, reach_seconds: float) -> Copies:
    """What was taken more than once. `reach_seconds`: how long before the first copy a fault may have had a part in it.

    A kill is an excuse only for a delivery with an attempt that did not, or not in time, say how it ended.
    """
    rows = {row.id: row for row in view.deliveries if row.channel == channel}
    copies = Copies(deliveries=len(rows))
    for name in book.arrivals:
        taken = book.taken(name)
        if name not in rows:
            copies.unexplained.append(f"{name}: nobody sent it")
            continue
        for earlier, later in itertools.pairwise(taken):
            if not earlier.answered:
                copies.after_cut += 1
            elif fault := _excuse(rows[name], earlier, later, faults, reach_seconds=reach_seconds):
                copies.by_kind[fault.kind] += 1
            else:
                copies.unexplained.append(f"{name}: {later.at - earlier.at:.2f} s apart")
    return copies


def _excuse(row: Row, earlier: Arrival, later: Arrival, faults: list[Done], *, reach_seconds: float) -> Done | None:
    """The fault nearest to the first copy among those that may have kept its outcome from being noted.

    A frozen process finds its attempts timed out when it wakes, answered though they are; that is applied when nobody
    has taken over the delivery since its lease ended.
    """
    unsaid = row.died + row.late > 0
    near = [
        fault
        for fault in faults
        if earlier.at - reach_seconds <= fault.until
        and fault.at <= later.at
        and (unsaid or (row.timed_out and fault.kind == Kind.FREEZE_CHILD))
    ]
    return min(near, key=lambda fault: abs(fault.at - earlier.at), default=None)


def find_doubles(view: View) -> list[str]:
    """In-app messages that are there twice."""
    counts = Counter((message.number, message.recipient) for message in view.messages)
    return [f"no. {number} to {recipient}: {n} messages" for (number, recipient), n in counts.items() if n > 1]


def find_key_doubles(view: View) -> list[str]:
    """Notifications that one Idempotency-Key made twice."""
    counts = Counter(number for _, number in view.notifications)
    return [f"no. {number}: {n} notifications" for number, n in counts.items() if n > 1]


def find_differences(view: View) -> list[str]:
    """Where the API says something else than the database."""
    stored = {row.id: row.state for row in view.deliveries}
    names = stored.keys() | view.api_states.keys()
    return [
        f"{name}: {stored.get(name)} / {view.api_states.get(name)}"
        for name in sorted(names)
        if stored.get(name) != view.api_states.get(name)
    ]

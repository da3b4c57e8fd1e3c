"""Rows of a simulation's tables as entries of its story. Without I/O."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from delivery.reasons import explain
from delivery.runs.steps import AFTER_QUIET
from delivery.states import OPEN, State
from deploy.simulation.driving import Driver
from deploy.simulation.sentences import sentence, until_of
from deploy.simulation.story import RANK, Entry, Kind
from deploy.simulation.watching import Watch
from notifications import ids
from notifications.preferences.deciding import CRITICAL

Row = dict[str, Any]

_LEVELS: Final = {
    "workflow": "this workflow",
    "category": "this category",
    "channel": "this channel",
}


class Teller:
    """Knows what notifications are called and what is in digests. Rows as `telling.py` asks for them."""

    def __init__(self, driver: Driver, watch: Watch, notifications: Sequence[Row], items: Sequence[Row]) -> None:
        self._end = driver.now
        self._said = driver.said
        self._watch = watch
        self._notifications = notifications
        self._items = items
        self._labels = self._name()
        self._order = {label: number for number, label in enumerate(self._labels.values())}
        self._in_digest: dict[UUID, list[str]] = defaultdict(list)
        for item in items:
            if item["removed_at"] is None:
                self._in_digest[item["digest_id"]].append(self._labels[item["notification_id"]])

    def _name(self) -> dict[UUID, str]:
        labels, made = {}, defaultdict[str, int](int)
        for row in self._notifications:
            label = self._watch.labels.get(row["id"])
            if label is None:
                made[row["schedule"]] += 1
                label = f"{row['schedule']}#{made[row['schedule']]}"
            labels[row["id"]] = label
        return labels

    def place(self, entry: Entry) -> tuple[Any, ...]:
        """Where an entry stands: never by an id, so that a scenario is told the same each time."""
        order = [self._order.get(label, -1) for label in entry.notifications] or [-1]
        tie = (entry.recipient or "", entry.channel or "", entry.step or "", entry.code, entry.title or "", entry.says)
        return entry.at, RANK[entry.kind], order, *tie

    def asked(self) -> Iterator[Entry]:
        for row in self._notifications:
            what = row["workflow"] or row["title"] or "a plain notification"
            yield Entry(
                at=row["created_at"],
                kind=Kind.ASKED,
                says=what,
                notifications=(self._labels[row["id"]],),
                until=row["send_at"],
                code="schedule" if row["schedule"] else "request",
                why=(f"to {_whom(row['recipients'])}",),
            )
            if row["status"] == "accepted":
                yield self._open(row, "waits to be routed", row["available_at"])

    def items(self) -> Iterator[Entry]:
        for item in self._items:
            label = (self._labels[item["notification_id"]],)
            step, collects = _step(item["step"])
            opens = "opens" if item["joined_at"] == item["opened_at"] else "joins"
            what = f" {item['key']!r}" if item["key"] else ""
            yield Entry(
                at=item["joined_at"],
                kind=Kind.JOINED,
                says=f"{opens} {collects}{what}",
                notifications=label,
                recipient=item["recipient"],
                step=step,
                until=self._watch.closing.get(item["id"]),
                code="joined",
            )
            if item["removed_at"] is not None:
                yield Entry(
                    at=item["removed_at"],
                    kind=Kind.LEFT,
                    says=f"leaves {collects}{what}: {explain(item['removed_reason']).says}",
                    notifications=label,
                    recipient=item["recipient"],
                    step=step,
                    code=item["removed_reason"],
                )

    def walks(self, runs: Sequence[Row]) -> Iterator[Entry]:
        for run in runs:
            labels = self._about(run)
            for noted in run["log"]:
                yield Entry(
                    at=_moment(noted["at"]),
                    kind=Kind.STEP,
                    says=sentence(noted["code"], noted["detail"]),
                    notifications=labels,
                    recipient=run["recipient"],
                    step=noted["step"],
                    code=noted["code"],
                    until=until_of(noted["detail"]),
                )
            if run["state"] == "waiting":
                says = "a digest is open" if run["digest_id"] and "collects" in run["memory"] else "the walk waits"
                yield self._open(run, says, run["available_at"])

    def deliveries(self, rows: Sequence[Row]) -> Iterator[Entry]:
        told: set[tuple[Any, ...]] = set()
        for row in rows:
            one = (row["digest_id"], row["recipient"], row["channel"], row["step"], row["endpoint_id"])
            if row["state"] == State.DIGESTED or (row["digest_id"] is not None and one in told):
                continue  # it is told with the digest's first
            told.add(one)
            waits = self._watch.put_off.get(row["id"])
            about: dict[str, Any] = {
                "notifications": self._about(row),
                "recipient": row["recipient"],
                "channel": row["channel"],
                "step": row["step"],
            }
            if waits is not None:
                why = (explain(waits.reason).says,)
                yield Entry(
                    at=row["created_at"],
                    kind=Kind.WAITS,
                    says="waits",
                    until=waits.until,
                    code=waits.reason,
                    why=why,
                    **about,
                )
            if row["state"] in OPEN:
                yield self._open(row, f"is {row['state']}", row["available_at"])
                continue
            said = self._said.get(ids.encode("dlv", row["id"]))
            yield Entry(
                at=row["finished_at"],
                kind=Kind.ENDED,
                says=row["state"],
                title=row["title"] if said is None else said.title,
                code=row["reason"],
                since=row["created_at"] if waits is not None else None,
                why=tuple(self._why(row, waits.reason if waits else "")),
                **about,
            )

    def times(self, rows: Sequence[Row]) -> Iterator[Entry]:
        for row in rows:
            says = f"{row['key']}: {row['outcome']}"
            why = (row["reason"],) if row["reason"] else ()
            yield Entry(at=row["created_at"], kind=Kind.SCHEDULE, says=says, code=row["outcome"], why=why)

    def _why(self, row: Row, waited_for: str) -> Iterator[str]:
        if row["step"]:
            yield f"step {row['step']} of {row['workflow']}"
        if row["digest_id"] and row["state"] in (State.SENT, State.DELIVERED):
            yield f"carries {len(self._about(row))}"
        if waited_for:
            yield f"had to wait: {explain(waited_for).says}"
        if (decided := row["decision"]) and "level" in decided:
            yield _decided(decided["level"], decided.get("overruled", ""))
        if row["state"] not in (State.SENT, State.DELIVERED):
            yield explain(row["reason"]).says
        if row["detail"]:
            yield row["detail"]

    def _about(self, row: Row) -> tuple[str, ...]:
        """What a digest's row carries; of others the one notification."""
        if row["digest_id"] is not None and self._in_digest[row["digest_id"]]:
            return tuple(self._in_digest[row["digest_id"]])
        return (self._labels[row["notification_id"]],)

    def _open(self, row: Row, says: str, until: Any) -> Entry:
        about = self._about(row) if "digest_id" in row else (self._labels[row["id"]],)
        return Entry(
            at=self._end,
            kind=Kind.OPEN,
            says=says,
            notifications=about,
            recipient=row.get("recipient"),
            channel=row.get("channel"),
            step=row.get("step"),
            until=until,
            code="open",
        )


def _whom(recipients: Sequence[Any]) -> str:
    names = [entry if isinstance(entry, str) else f"topic {entry['topic']}" for entry in recipients]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _step(step: str) -> tuple[str, str]:
    """The step's key, and what its digest is."""
    if step.endswith(AFTER_QUIET):
        return step.removesuffix(AFTER_QUIET), "what is kept until quiet hours end"
    return step, "a digest"


def _decided(level: str, overruled: str) -> str:
    """Whose preference it was."""
    if level == CRITICAL:
        return f"critical passes over {_decided(overruled, '')}" if overruled else "critical"
    of = level.removeprefix("project_")
    owner = "the project's" if of != level else "the recipient's"
    return f"{owner} preference for {_LEVELS.get(of, of)}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

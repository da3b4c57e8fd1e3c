"""What happened to one notification, as the demo tells it: its workflow's steps, every decision in order, what is being collected."""

from typing import Any, Final

from delivery.explain.reading import explain_notification
from delivery.models import Run
from delivery.states import OPEN, State
from notifications import texts
from notifications.models import Notification, WorkflowVersion
from schedules.models import DigestItem

_SHOWN: Final = 50
_GOOD: Final = frozenset({State.SENT, State.DELIVERED, State.DIGESTED})
_SAID_ALREADY: Final = frozenset({"accepted", "stored_in_inbox", "sent_in_digest"})
_WAITS: Final = frozenset({"skipped", "deferred", "delayed", "throttled", "waiting", "condition", "not_asked_for"})
_BAD: Final = frozenset({"not_used", "dropped", "unanswered", "exhausted"})
_GREAT: Final = frozenset({"acknowledged", "reached", "digest_closed", "digested"})

Told = dict[str, Any]


def tell(notification: Notification) -> Told:
    """`{"id", "status", "done", "steps", "lines", "digests", "escalates", "acknowledged_at"}`."""
    explained = explain_notification(
        notification,
        recipient=None,
        page=lambda rows, out: {"data": [out(row) for row in rows.order_by("id")[:_SHOWN]]},
    )
    digests = [_digest(item) for item in _items(notification)]
    runs, deliveries = explained["runs"], explained["data"]
    waits = any(run["state"] == Run.State.WAITING for run in runs)
    open_ = any(row["state"] in OPEN for row in deliveries) or notification.status == Notification.Status.ACCEPTED
    done = not (waits or open_ or any(digest["open"] for digest in digests))
    version_id = notification.workflow_version_id
    version = WorkflowVersion.objects.filter(id=version_id).first() if version_id is not None else None
    return {
        "id": notification.public_id,
        "status": notification.status,
        "done": done,
        "steps": [] if version is None else _steps(version, explained, digests, done=done),
        "lines": _lines(explained),
        "digests": digests,
        "escalates": waits
        and version is not None
        and any(s["type"] == "escalate" for s in version.definition["steps"]),
        "acknowledged_at": texts.optional_time(notification.acknowledged_at),
    }


def plan_lines(plan: Told) -> list[Told]:
    """What a dry run says, line by line."""
    lines = [
        _line(None, _way(person["recipient"], way), "bad" if not way["delivers"] else "go")
        for entry in plan["entries"]
        for person in entry["recipients"]
        for way in person["ways"]
    ]
    for run in plan["runs"]:
        lines += [_decision_line(each) for each in run["decisions"]]
        lines.append(_line(None, run["summary"], "wait"))
    lines += [_line(None, digest["summary"], "wait") for digest in plan["digests"]]
    return lines or [_line(None, "Nobody would hear of it.", "bad")]


def _items(notification: Notification) -> list[DigestItem]:
    rows = DigestItem.objects.filter(notification=notification, removed_at=None).select_related("digest")
    return list(rows.order_by("id")[:_SHOWN])


def _digest(item: DigestItem) -> Told:
    digest = item.digest
    return {
        "id": digest.public_id,
        "step": item.step.partition("~")[0],
        "count": digest.count,
        "open": digest.closed_at is None,
        "closes_at": texts.format_time(digest.closes_at),
        "closed_at": texts.optional_time(digest.closed_at),
    }


def _steps(version: WorkflowVersion, explained: Told, digests: list[Told], *, done: bool) -> list[Told]:
    """Each step as what became of it: done, here, skipped, bad or ahead."""
    skipped = {d["detail"]["step"] for run in explained["runs"] for d in run["decisions"] if d["code"] == "skipped"}
    dropped = {d["detail"]["step"] for run in explained["runs"] for d in run["decisions"] if d["code"] == "dropped"}
    here = {run["step"] for run in explained["runs"] if run["state"] == Run.State.WAITING}
    ended = {d["detail"]["step"] for run in explained["runs"] for d in run["decisions"] if d["code"] == "condition"}
    told: list[Told] = []
    over = False
    for step in version.definition["steps"]:
        key = step["key"]
        states = [
            row["state"]
            for row in explained["data"]
            if (row["decisions"][0]["detail"].get("step") or "").partition("#")[0] == key
        ]
        collects = [digest for digest in digests if digest["step"] == key]
        stand = _stand(states, collects)
        if key in skipped:
            stand = "skipped"
        elif key in dropped:
            stand, over = "bad", True
        elif key in here or any(digest["open"] for digest in collects):
            stand, over = "here", True
        elif stand is None:
            stand = "ahead" if over or (not done and explained["status"] == "accepted") else "done"
        told.append({"key": key, "type": step["type"], "stand": stand})
        over = over or key in ended
    return told


def _stand(states: list[str], collects: list[Told]) -> str | None:
    if states:
        if any(state in OPEN for state in states):
            return "here"
        return "done" if all(state in _GOOD for state in states) else "bad"
    return "done" if collects and not collects[-1]["open"] else None


def _lines(explained: Told) -> list[Told]:
    """Every decision, oldest first; what an attempt has said already is not said again."""
    decisions = list(explained["decisions"])
    for run in explained["runs"]:
        decisions += run["decisions"]
    several = len({delivery["recipient"] for delivery in explained["data"]}) > 1
    for delivery in explained["data"]:
        to = f"To {delivery['recipient']}: " if several else ""
        decisions += [
            {**each, "summary": to + each["summary"]}
            for each in delivery["decisions"]
            if not (each["code"] == "ended" and each["detail"]["reason"] in _SAID_ALREADY)
        ]
    lines = sorted((_decision_line(each) for each in decisions), key=lambda line: line["at"] or "~")
    return lines + [_line(None, digest["summary"], "wait") for digest in explained["digests"]]


def _decision_line(decision: Told) -> Told:
    code = decision["code"]
    good = code == "attempt" and decision["detail"].get("outcome") in _SAID_ALREADY
    tone = "wait" if code in _WAITS else "bad" if code in _BAD else "good" if good or code in _GREAT else "go"
    return _line(decision["at"], decision["summary"], tone)


def _line(at: str | None, says: str, tone: str) -> Told:
    return {"at": at, "says": says, "tone": tone}


def _way(recipient: str, way: Told) -> str:
    step = f"Step {way['step']!r} " if way["step"] else "It "
    if way["not_before"]:
        return f"{step}would go to {recipient} over {way['channel']}, not before {way['not_before']}."
    if way["reason"]:
        return f"{step}would not go to {recipient} over {way['channel']}: {way['reason']}."
    return f"{step}would go to {recipient} over {way['channel']} at once."

"""Explaining walks through a workflow: every decision of a step, as a code with a sentence. Pure but for the rows it is given."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from delivery.explain.decisions import decision
from delivery.models import Run
from delivery.reasons import explain
from notifications import ids
from notifications.texts import format_time, parse_time
from notifications.workflows.logic_words import words
from schedules.models import DigestItem

Detail = Mapping[str, Any]


def _time(detail: Detail) -> str:
    return format_time(parse_time(detail["until"]))


def _why(detail: Detail) -> str:
    return f" It could not be evaluated: {detail['error']}" if detail.get("error") else ""


def _condition(detail: Detail) -> str:
    """The condition as one reads it, with what its variables were."""
    if detail.get("condition") is None:  # noted by an early release
        return "condition"
    values = ", ".join(f"{name} was {_value(value)}" for name, value in sorted(detail.get("values", {}).items()))
    return f"condition, {words(detail['condition'])}{f' ({values})' if values else ''},"


def _value(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


_SAYS: Final[Mapping[str, Callable[[Detail], str]]] = {
    "skipped": lambda d: f"was skipped: its {_condition(d)} did not hold.{_why(d)}",
    "condition": lambda d: (
        f"did not let it pass: its {_condition(d)} did not hold, so the walk went on at {d['goes_to']!r}.{_why(d)}"
        if d.get("goes_to")
        else f"did not let it pass: its {_condition(d)} did not hold, so the walk ended.{_why(d)}"
    ),
    "not_asked_for": lambda d: f"was passed over: the request did not ask for {d['channel']}.",
    "delayed": lambda d: f"waits until {_time(d)}.",
    "no_time": lambda d: f"could not tell until when to wait, so it did not: {d['error']}",
    "no_key": lambda d: f"could not fill in its key and used an empty one: {d['error']}",
    "throttled": lambda d: f"let {d['limit']} through already, so this one waits until {_time(d)}.",
    "dropped": lambda d: f"let {d['limit']} through already and drops the rest; there is room again at {_time(d)}.",
    "at_once_by_preference": lambda d: "was passed over: the recipient wants everything of this category at once.",
    "first_at_once": lambda d: "let the first one through at once; what follows is collected.",
    "digest_closed": lambda d: f"closed with {d['items']} item{'s' if d['items'] != 1 else ''}.",
    "digest_empty": lambda d: "closed with nothing left in it.",
    "no_way": lambda d: f"passed over {d['channel']}, which does not reach the recipient.",
    "reached": lambda d: f"ended: what went over {d['channel']} was {d['until']}.",
    "exhausted": lambda d: f"ended: no channel is left, and nothing was {d['until']}.",
    "escalated": lambda d: f"called {d['to'] or 'somebody who was erased'}, round {d['round']}.",
    "nobody_to_call": lambda d: f"had nobody left to call in round {d['round']}: they were erased.",
    "acknowledged": lambda d: f"ended after {d['rounds']} rounds: somebody takes care.",
    "unanswered": lambda d: f"ended after {d['rounds']} rounds: nobody answered.",
}


def explain_run(run: Run, keys: tuple[str, ...]) -> dict[str, Any]:
    """One walk with everything it decided; `keys` are the steps of its version."""
    position = keys[run.position] if run.position < len(keys) else None
    return {
        "id": run.public_id,
        "recipient": run.recipient.external_id,
        "state": run.state,
        "reason": run.reason or None,
        "step": position if run.state == Run.State.WAITING else None,
        "next_at": None if run.available_at is None else format_time(run.available_at),
        "digest": None if run.digest_id is None else ids.encode("dig", run.digest_id),
        "summary": _summary(run, position),
        "decisions": [_entry(entry) for entry in run.log],
    }


def explain_item(item: DigestItem) -> dict[str, Any]:
    """What became of the notification in one digest."""
    digest = item.digest
    step, _, quiet = item.step.partition("~")
    what = "what is collected in quiet hours for" if quiet else "the digest of"
    where = f"{what} step {step!r}{f' under the key {digest.key!r}' if digest.key else ''}"
    if item.removed_at is not None:
        state, said = "left", f"It left {where}: {explain(item.removed_reason).says}"
    elif digest.closed_at is None:
        state, said = (
            "open",
            f"It waits {_with(digest.count)} in {where}, which closes at {format_time(digest.closes_at)}.",
        )
    else:
        state, said = (
            "closed",
            f"It went out {_with(digest.count)} when {where} closed at {format_time(digest.closed_at)}.",
        )
    return {
        "id": digest.public_id,
        "recipient": item.recipient.external_id,
        "step": item.step,
        "key": digest.key,
        "state": state,
        "count": digest.count,
        "closes_at": format_time(digest.closes_at),
        "summary": said,
    }


def _with(count: int) -> str:
    return "alone" if count <= 1 else f"with {count - 1} other{'s' if count > 2 else ''}"


def _summary(run: Run, step: str | None) -> str:
    who = run.recipient.external_id
    if run.state == Run.State.WAITING:
        at = _moment(run.available_at)
        return f"The walk of {who} waits at step {step!r} until {at}." if step else f"The walk of {who} ends at {at}."
    return f"The walk of {who} is {run.state}: {explain(run.reason).says}"


def _moment(at: datetime | None) -> str:
    return "" if at is None else format_time(at)


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    code, detail = entry["code"], entry["detail"]
    says = _SAYS.get(code)
    said = f"Step {entry['step']!r} {says(detail)}" if says else f"Step {entry['step']!r}: {code}."
    return decision(code, parse_time(entry["at"]), said, detail={"step": entry["step"], **detail})


CODES: Final = frozenset(_SAYS)
"""Every code that a walk writes into its log."""

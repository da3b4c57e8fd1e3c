"""Explaining one delivery: what was decided, what was tried, what comes next, each as a code with a sentence. Pure."""

from collections.abc import Iterable
from typing import Any, Final

from delivery.explain.decisions import decision
from delivery.models import Attempt, Delivery, DeliveryEvent
from delivery.reasons import explain
from delivery.retries import is_provider_pause
from delivery.routing import IN_APP
from delivery.states import OPEN, TERMINAL, State
from notifications import ids
from notifications.preferences.deciding import CRITICAL
from notifications.texts import format_time
from notifications.workflows.logic_words import words

_NAMES: Final = {"email": "Email", "webhook": "Webhook", IN_APP: "In-app message"}


def explain_delivery(
    delivery: Delivery,
    attempts: Iterable[Attempt],
    schedule: tuple[float, ...],
    *,
    events: Iterable[DeliveryEvent] = (),
    condition: Any = None,
) -> dict[str, Any]:
    """`delivery` with every decision so far, oldest first; `schedule` are its retry steps in seconds.

    `events` were told after it was sent, so they come after its end. `condition` is that of its workflow's step, which held.
    """
    tried = list(attempts)
    next_look = _next(delivery, schedule)
    return {
        "id": delivery.public_id,
        "recipient": delivery.recipient.external_id,
        "channel": delivery.channel,
        "endpoint": ids.encode("end", delivery.endpoint_id) if delivery.endpoint_id else None,
        "state": delivery.state,
        "reason": delivery.reason or None,
        "actor": explain(delivery.reason).actor if delivery.reason else "nobody",
        "used": bool(tried) or delivery.state in OPEN,
        "summary": _summary(delivery, next_look),
        "decisions": [
            _routed(delivery, tried, condition),
            *_waited(delivery),
            *map(_attempt, tried),
            *_end(delivery),
            *map(_event, events),
        ],
        "next_attempt": next_look,
    }


def _summary(delivery: Delivery, next_look: dict[str, Any] | None) -> str:
    what = f"{_name(delivery)} to {delivery.recipient.external_id} is {delivery.state}"
    if next_look is not None:
        said = f" after {delivery.reason}: {explain(delivery.reason).says}" if delivery.reason else "."
        return f"{what}{said} {next_look['summary']}"
    return f"{what}: {explain(delivery.reason).says}"


def _routed(delivery: Delivery, tried: list[Attempt], condition: Any) -> dict[str, Any]:
    name = _name(delivery)
    said = {
        "step": delivery.step,
        "digest": ids.encode("dig", delivery.digest_id) if delivery.digest_id else None,
        "condition": condition,
        **(delivery.decision or {}),
    }
    detail = {key: value for key, value in said.items() if value}
    # Routing ends a row in the transaction that inserts it, whose beginning is the end; the row's own time is its statement's.
    if delivery.finished_at is not None and delivery.finished_at <= delivery.created_at:
        reason = explain(delivery.reason)
        if delivery.state == State.DIGESTED:
            return decision("digested", delivery.created_at, f"{name}: {reason.says}", detail=detail)
        text = f"{name} was not used: {reason.says}"
        return decision("not_used", delivery.created_at, text, actor=reason.actor, detail=detail)
    how = {IN_APP: "everybody has an inbox", "email": "the recipient has an email address"}
    why = how.get(delivery.channel, "the recipient has an enabled endpoint for it")
    asked = f"of step {delivery.step!r} goes out" if delivery.step else "was asked for"
    held = f" Its condition, {words(condition)}, held." if condition is not None else ""
    text = f"{name} {asked}, and {why}.{held}{_preference(delivery.decision)}"
    return decision("used", delivery.created_at, text, detail=detail)


def _waited(delivery: Delivery) -> list[dict[str, Any]]:
    """Until when it had to wait, and for what."""
    decided = delivery.decision or {}
    if "until" not in decided:
        return []
    detail = {"until": decided["until"], "reason": decided["waits_for"]}
    said = f"{_name(delivery)} was not to go before {decided['until']}: {explain(decided['waits_for']).says}"
    return [decision("deferred", delivery.created_at, said, detail=detail)]


def _preference(decided: dict[str, str] | None) -> str:
    """Whose preference let it through, where anybody's did."""
    if not decided or "level" not in decided:
        return ""
    if decided["level"] == CRITICAL:
        over = f", which passes over the preference {decided['overruled']!r}" if decided.get("overruled") else ""
        return f" It is critical{over}."
    return f" The preference {decided['level']!r} lets it through."


def _attempt(attempt: Attempt) -> dict[str, Any]:
    detail = {
        "number": attempt.number,
        "duration_ms": attempt.duration_ms,
        "outcome": attempt.outcome,
        "applied": attempt.applied,
        "response": attempt.response,
    }
    begun = f"Attempt {attempt.number}"
    if attempt.outcome is None:
        said = f"{begun} is under way, or its process died; then another takes over when its lease ends."
        return decision("attempt", attempt.started_at, said, detail=detail)
    reason = explain(attempt.outcome)
    took = f" after {attempt.duration_ms} ms" if attempt.duration_ms is not None else ""
    late = "" if attempt.applied else " It came too late to count: another attempt had taken over."
    provider = (attempt.response or {}).get("provider")
    by = f" by provider {provider!r}" if provider else ""
    said = f"{begun}{by} ended{took} with {attempt.outcome}: {reason.says}{late}"
    return decision("attempt", attempt.started_at, said, actor=reason.actor, detail=detail)


def _event(event: DeliveryEvent) -> dict[str, Any]:
    said = f"It was reported as {event.type} ({event.source}{', ' + event.status if event.status else ''})."
    detail = {"type": event.type, "source": event.source, "status": event.status or None, "detail": event.detail}
    return decision("event", event.occurred_at, said, detail=detail)


def _end(delivery: Delivery) -> list[dict[str, Any]]:
    if delivery.state not in TERMINAL:
        return []
    reason = explain(delivery.reason)
    said = f"It ended as {delivery.state}: {reason.says}"
    return [
        decision(
            "ended",
            delivery.finished_at,
            said,
            actor=reason.actor,
            detail={"state": delivery.state, "reason": delivery.reason},
        )
    ]


def _next(delivery: Delivery, schedule: tuple[float, ...]) -> dict[str, Any] | None:
    """When the row is looked at again, and why then; None once it has ended."""
    if delivery.available_at is None:
        return None
    at = format_time(delivery.available_at)
    step: int | None = None
    match State(delivery.state):
        case State.SENDING:
            why, said = "lease", f"An attempt is under way; if its process died, another takes over at {at}."
        case State.SCHEDULED:
            why, said = "scheduled", f"It waits for its time, {at}."
        case State.RETRYING if is_provider_pause(delivery.channel, delivery.reason):
            why, said = "provider_pause", f"The provider is paused; the next attempt, at {at}, uses no retry step."
        case State.RETRYING:
            step = delivery.retry_step
            why, said = (
                "retry_schedule",
                f"The next attempt is at {at}, step {step} of {len(schedule)} of the schedule.",
            )
        case _:
            why, said = "due", f"It is due since {at} and waits for its turn."
    return {"at": at, "why": why, "step": step, "steps": len(schedule), "summary": said}


def _name(delivery: Delivery) -> str:
    return _NAMES.get(delivery.channel, delivery.channel)

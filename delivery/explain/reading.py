"""Explaining one notification: what was decided about it as a whole, how its deliveries stand, and a page of them."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, QuerySet

from delivery.conf import conf
from delivery.dry_run import plan_accepted
from delivery.explain.decisions import decision
from delivery.explain.sentences import explain_delivery
from delivery.explain.walks import explain_item, explain_run
from delivery.models import Delivery, Run
from delivery.reasons import explain
from delivery.selectors import deliveries_of
from notifications import ids
from notifications.models import ApiKey, Notification, WorkflowVersion
from notifications.texts import format_time
from schedules.models import DigestItem

MOST_RUNS: Final = 100
"""Walks and digests that are shown; of a topic's members ask for one recipient's."""
_IN_QUIET_HOURS: Final = {"defer": "waits for their end", "drop": "is dropped", "break_through": "comes all the same"}
Page = Callable[[QuerySet[Delivery], Callable[[Delivery], dict[str, Any]]], dict[str, Any]]


def explain_notification(notification: Notification, *, recipient: str | None, page: Page) -> dict[str, Any]:
    """Everything about `notification`; `page` cuts one page of its deliveries, of this recipient's where one is given.

    As long as it is not routed, `plan` says by which ways its recipients would be reached now (as a dry run does).
    """
    rows = deliveries_of(notification.id).select_related("recipient", "endpoint").prefetch_related("attempts", "events")
    if recipient is not None:
        rows = rows.filter(recipient__external_id=recipient)
    counts = _counts(notification.id)
    accepted = notification.status == Notification.Status.ACCEPTED
    conditions = _conditions(notification.workflow_version_id)

    def explained(delivery: Delivery) -> dict[str, Any]:
        return _explained(delivery, conditions.get((delivery.step or "").partition("#")[0]))

    return {
        "id": notification.public_id,
        "status": notification.status,
        "reason": notification.reason or None,
        "summary": _summary(notification, counts),
        "decisions": _decisions(notification, counts),
        "counts": counts,
        "plan": plan_accepted(notification) if accepted and notification.workflow_version_id is None else [],
        "runs": _runs(notification, recipient),
        "digests": _digests(notification, recipient),
        **page(rows, explained),
    }


def _runs(notification: Notification, recipient: str | None) -> list[dict[str, Any]]:
    """Walks for this notification alone, and those of digests it is in; the newest.

    Two questions, because an index answers each of them and none both.
    """
    if notification.workflow_version_id is None:
        return []
    rows = Run.objects.select_related("recipient").order_by("-id")
    items = DigestItem.objects.filter(notification=notification).order_by("-id")
    if recipient is not None:
        rows = rows.filter(recipient__external_id=recipient)
        items = items.filter(recipient__external_id=recipient)
    digests = list(items.values_list("digest_id", flat=True)[:MOST_RUNS])
    own = rows.filter(notification=notification, digest_id=None)[:MOST_RUNS]
    found = sorted([*own, *rows.filter(digest_id__in=digests)[:MOST_RUNS]], key=lambda row: row.id, reverse=True)
    found = found[:MOST_RUNS]
    versions = WorkflowVersion.objects.filter(id__in={row.version_id for row in found})
    keys = {row.id: tuple(step.get("key", "") for step in row.definition["steps"]) for row in versions}
    return [explain_run(row, keys.get(row.version_id, ())) for row in found]


def _digests(notification: Notification, recipient: str | None) -> list[dict[str, Any]]:
    if notification.workflow_version_id is None:
        return []
    rows = DigestItem.objects.filter(notification=notification).select_related("digest", "recipient").order_by("-id")
    if recipient is not None:
        rows = rows.filter(recipient__external_id=recipient)
    return [explain_item(row) for row in rows[:MOST_RUNS]]


def _conditions(version_id: UUID | None) -> dict[str, Any]:
    """The conditions of the workflow's steps, by their keys."""
    version = WorkflowVersion.objects.filter(id=version_id).first() if version_id is not None else None
    steps = version.definition["steps"] if version is not None else []
    return {step["key"]: step["if"] for step in steps if step.get("if") is not None and "key" in step}


def _explained(delivery: Delivery, condition: Any) -> dict[str, Any]:
    own = delivery.endpoint.retry_seconds if delivery.endpoint is not None else None
    schedule = conf().retry_seconds.get(delivery.channel, ()) if own is None else tuple(own)
    return explain_delivery(
        delivery, delivery.attempts.all(), schedule, events=delivery.events.all(), condition=condition
    )


def _counts(notification_id: UUID) -> list[dict[str, Any]]:
    rows = deliveries_of(notification_id).values_list("channel", "state", "reason").annotate(count=Count("id"))
    return [
        {
            "channel": channel,
            "state": state,
            "reason": reason or None,
            "count": count,
            "summary": explain(reason).says if reason else "On its way.",
            "actor": explain(reason).actor if reason else "nobody",
        }
        for channel, state, reason, count in rows.order_by("channel", "state", "reason")
    ]


def _summary(notification: Notification, counts: list[dict[str, Any]]) -> str:
    states: dict[str, int] = {}
    for row in counts:
        states[row["state"]] = states.get(row["state"], 0) + row["count"]
    said = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"
    return f"Accepted at {format_time(notification.created_at)}, now {notification.status}. Deliveries: {said}."


def _decisions(notification: Notification, counts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [_accepted(notification)]
    if notification.workflow_version_id is not None:
        found.append(_workflow(notification))
    if notification.acknowledged_at is not None:
        by = notification.acknowledged_by or "somebody"
        said = f"{by} takes care of it."
        found.append(
            decision("acknowledged", notification.acknowledged_at, said, detail={"by": notification.acknowledged_by})
        )
    if notification.critical:
        found.append(decision("critical", notification.created_at, "It is critical and goes before what is not."))
    if notification.quiet_hours is not None:
        said = f"In a recipient's quiet hours it {_IN_QUIET_HOURS[notification.quiet_hours]}, for the request said so."
        detail = {"policy": notification.quiet_hours}
        found.append(decision("quiet_hours", notification.created_at, said, detail=detail))
    if notification.send_at is not None:
        at = format_time(notification.send_at)
        said = f"It was not to be routed before {at}."
        found.append(decision("scheduled", notification.created_at, said, detail={"send_at": at}))
    if notification.expires_at is not None:
        at = format_time(notification.expires_at)
        said = f"Whatever has not been sent by {at} expires."
        found.append(decision("expires", notification.created_at, said, detail={"expires_at": at}))
    found.append(_expansion(notification, sum(row["count"] for row in counts)))
    return found


def _accepted(notification: Notification) -> dict[str, Any]:
    key = ApiKey.objects.filter(id=notification.api_key_id).first() if notification.api_key_id else None
    at = format_time(notification.created_at)
    unknown = (
        "with a key that is not on record" if notification.api_key_id else "from within Carillon, without an API key"
    )
    by = f"with the API key {key.name!r}" if key else unknown
    detail = {"api_key": {"id": ids.encode("key", key.id), "name": key.name} if key else None}
    return decision("accepted", notification.created_at, f"It was accepted at {at} {by}.", detail=detail)


def _workflow(notification: Notification) -> dict[str, Any]:
    """Which version it follows, whatever is published meanwhile."""
    assert notification.workflow_version_id is not None
    version = WorkflowVersion.objects.filter(id=notification.workflow_version_id).first()
    number = version.number if version else None
    said = f"It follows version {number} of the workflow {notification.workflow!r}."
    return decision(
        "workflow", notification.created_at, said, detail={"workflow": notification.workflow, "version": number}
    )


def _expansion(notification: Notification, made: int) -> dict[str, Any]:
    """How far routing has come, or how it ended."""
    names = [entry for entry in notification.recipients if isinstance(entry, str)]
    topics = [entry["topic"] for entry in notification.recipients if not isinstance(entry, str)]
    cursor = notification.route_cursor or {"entry": 0, "after": None}
    routed = notification.status == Notification.Status.ROUTED
    done = len(topics) if routed else cursor["entry"]
    detail = {
        "recipients": len(names),
        "topics": [{"topic": key, "state": _progress(at, done, cursor)} for at, key in enumerate(topics)],
        "deliveries": made,
    }
    named = f"{len(names)} recipient{'' if len(names) == 1 else 's'} by name" if names or not topics else ""
    whom = " and ".join(
        filter(None, (named, f"{len(topics)} topic{'' if len(topics) == 1 else 's'}" if topics else ""))
    )
    if routed:
        said = f"{whom} became {made} deliver{'y' if made == 1 else 'ies'}{'' if made else ' so far'}."
        return decision("routed", notification.routed_at, said, detail=detail)
    if notification.status != Notification.Status.ACCEPTED:
        reason = explain(notification.reason)
        said = f"Routing of {whom} ended as {notification.status} after {made} deliveries: {reason.says}"
        return decision(notification.status, None, said, actor=reason.actor, detail=detail)
    assert notification.available_at is not None
    at = format_time(notification.available_at)
    if notification.lease_token is not None:
        said = f"Being routed: {whom}, {made} deliveries so far; if the process died, another goes on at {at}."
        return decision("routing", None, said, detail={**detail, "next_look_at": at})
    said = f"To be routed from {at} on: {whom}; {made} deliveries so far."
    return decision("waiting", None, said, detail={**detail, "next_look_at": at})


def _progress(at: int, done: int, cursor: dict[str, Any]) -> str:
    if at < done:
        return "expanded"
    return "expanding" if at == done and cursor.get("after") else "waiting"

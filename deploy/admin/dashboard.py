"""The first page: a verdict, the reasons for it, and links to the rows behind each number."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from delivery.heartbeats import WORKER, missing
from delivery.models import Delivery
from delivery.states import OPEN, State
from deploy.admin import display, when
from deploy.admin.filters import OVERDUE
from deploy.admin.standing import Standing, read_standing
from notifications.clock import utc_now
from notifications.models import Notification

_DELIVERIES: Final = "admin:delivery_delivery_changelist"
_QUEUE_ALARM: Final = 1000


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing worth saying: `kind` is danger, warning or success; `url` leads to the rows."""

    kind: str
    text: str
    url: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's hook for the index page."""
    standing = read_standing()
    now = utc_now()
    remarks = remarks_on(standing, now)
    worst = "danger" if any(r.kind == "danger" for r in remarks) else "warning" if remarks else "success"
    context.update(
        title="Is anything stuck?",
        verdict={"kind": worst, "text": _VERDICTS[worst], "remarks": remarks},
        spans=[
            _span("Last hour", standing.hour, "1h"),
            _span("Last 24 hours", standing.day, "24h"),
        ],
        waiting=[
            {
                **row,
                "tone": display.tone(row["state"]),
                "when": when.ago(row["oldest"], now=now),
                "late": row["oldest"] < now - OVERDUE,
                "url": f"{reverse(_DELIVERIES)}?state={row['state']}&channel={row['channel']}&progress=open",
            }
            for row in standing.waiting
        ],
        failures=[
            {
                **row,
                "tone": display.tone(row["state"]),
                "url": f"{reverse(_DELIVERIES)}?state={row['state']}&channel={row['channel']}&created=24h",
            }
            for row in standing.failures or []
        ],
        facts=_facts(standing, now),
    )
    return context


_VERDICTS: Final = {
    "danger": "Something is stuck",
    "warning": "Working, with things to look at",
    "success": "Nothing is stuck",
}


def remarks_on(standing: Standing, now: datetime) -> list[Remark]:
    """What an operator should know, worst first. Pure."""
    remarks: list[Remark] = []
    for count, model, noun, verb in (
        (standing.overdue_notifications, Notification, "notification", "routed"),
        (standing.overdue_deliveries, Delivery, "delivery", "sent"),
    ):
        if count:
            url = f"{reverse(f'admin:{model._meta.app_label}_{model._meta.model_name}_changelist')}?progress=overdue"
            remarks.append(Remark("danger", f"{_many(count, noun)} should have been {verb} over a minute ago.", url))
    if standing.overdue_deliveries is None or standing.overdue_notifications is None:
        remarks.append(Remark("danger", "PostgreSQL needs longer than 2 s to say what is open."))
    remarks += _remarks_on_ourselves(standing)
    if standing.queued_wake_ups is not None and standing.queued_wake_ups > _QUEUE_ALARM:
        remarks.append(
            Remark("warning", f"{standing.queued_wake_ups} wake-ups wait in the broker: are workers running?")
        )
    if failed := (standing.hour or {}).get(State.FAILED, 0):
        url = f"{reverse(_DELIVERIES)}?state=failed&created=1h"
        remarks.append(Remark("warning", f"{_many(failed, 'delivery')} of the last hour failed for good.", url))
    retrying = sum(row["count"] for row in standing.waiting if row["state"] == State.RETRYING)
    if retrying:
        url = f"{reverse(_DELIVERIES)}?state=retrying&progress=open"
        remarks.append(Remark("warning", f"{_many(retrying, 'delivery')} waiting for another attempt.", url))
    if standing.disabled_endpoints:
        url = f"{reverse('admin:notifications_endpoint_changelist')}?state__exact=disabled"
        remarks.append(Remark("warning", f"{_many(standing.disabled_endpoints, 'endpoint')} disabled.", url))
    if standing.paused_providers:
        url = f"{reverse('admin:delivery_provider_changelist')}?state__exact=paused"
        remarks.append(Remark("warning", f"{_many(standing.paused_providers, 'provider')} paused.", url))
    return remarks


def _remarks_on_ourselves(standing: Standing) -> list[Remark]:
    """Broken laws, roles without a living process, and processes that went silent within the hour."""
    remarks = []
    if standing.broken_laws:
        url = reverse("admin:delivery_lawcheck_changelist")
        remarks.append(Remark("danger", f"Laws are broken: {', '.join(standing.broken_laws)}.", url))
    if standing.pulses is not None:
        url = reverse("admin:delivery_heartbeat_changelist")
        absent = missing(standing.pulses)
        remarks += [
            Remark("danger" if role == WORKER else "warning", sentence, url) for role, sentence in absent.items()
        ]
        silent = sum(pulse.silent for role, pulse in standing.pulses.items() if role not in absent)
        if silent:
            ended = "process" if silent == 1 else "processes"
            remarks.append(Remark("warning", f"{silent} {ended} fell silent without saying goodbye.", url))
    return remarks


def _many(count: int, noun: str) -> str:
    shown = "more than 10 000" if count > 10_000 else f"{count}"
    if count == 1:
        return f"1 {noun}"
    return f"{shown} {noun[:-1]}ies" if noun.endswith("y") else f"{shown} {noun}s"


def _span(title: str, states: dict[str, int] | None, key: str) -> dict[str, Any]:
    counts = states or {}
    total = sum(counts.values())
    return {
        "title": title,
        "known": states is not None,
        "total": total,
        "url": f"{reverse(_DELIVERIES)}?created={key}",
        "states": [
            {
                "name": state.value,
                "tone": display.tone(state.value),
                "count": counts[state.value],
                "share": max(round(100 * counts[state.value] / total, 1), 0.5),
                "url": f"{reverse(_DELIVERIES)}?created={key}&state={state.value}",
            }
            for state in State
            if counts.get(state.value)
        ],
    }


def _facts(standing: Standing, now: datetime) -> list[tuple[str, str]]:
    late = standing.oldest is not None and now - standing.oldest > timedelta(0)
    oldest = when.span_text(now - standing.oldest) if late and standing.oldest else None
    open_now = sum(row["count"] for row in standing.waiting if row["state"] in OPEN)
    wake_ups = "broker does not answer" if standing.queued_wake_ups is None else str(standing.queued_wake_ups)
    return [
        ("Open deliveries", str(open_now)),
        ("Longest overdue", oldest if oldest and oldest != "now" else "nothing"),
        ("Last one finished", when.ago(standing.last_finished, now=now) if standing.last_finished else "never"),
        ("Wake-ups in the broker", wake_ups),
    ]

"""Cells of lists and pages: badges, links, times, JSON. Everything is escaped here."""

import json
import re
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery.models import Attempt, Delivery, DeliveryEvent, Run
from delivery.states import State
from deploy.admin import when
from notifications import ids
from notifications.models import Notification, Recipient
from schedules.models import Digest

NONE: Final = "–"
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")

_TONES: Final[dict[str, str]] = {
    State.SCHEDULED: "info",
    State.QUEUED: "info",
    State.SENDING: "primary",
    State.RETRYING: "warning",
    State.SENT: "success",
    State.DELIVERED: "success",
    State.FAILED: "danger",
    State.EXPIRED: "warning",
    Notification.Status.ACCEPTED: "info",
    Notification.Status.ROUTED: "success",
    "enabled": "success",
    "disabled": "danger",
    "active": "success",
    "revoked": "danger",
}
RUN_TONES: Final = {"waiting": "info", "done": "success", "cancelled": "", "expired": "warning", "failed": "danger"}
_PAGES: Final[dict[ids.Prefix, type[Model]]] = {"ntf": Notification, "dlv": Delivery, "run": Run, "dig": Digest}
_EVENT_TONES: Final = {"delivered": "success", "relayed": "info", "deferred": "warning"}
GOOD_OUTCOMES: Final = ("accepted", "stored_in_inbox")


def tone(word: str) -> str:
    """The colour that goes with a state or status."""
    return _TONES.get(word, "")


def badge(text: str, kind: str | None = None) -> SafeString:
    """A coloured label; the colour follows from the word unless given."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": tone(text) if kind is None else kind})


def outcome_badge(attempt: Attempt) -> SafeString:
    """How an attempt ended; without an outcome it is at work, or its process died."""
    if attempt.outcome is None:
        return badge("no answer yet", "primary")
    if not attempt.applied:
        return badge(f"{attempt.outcome} (late)", "warning")
    return badge(attempt.outcome, "success" if attempt.outcome in GOOD_OUTCOMES else "danger")


def event_badge(event: DeliveryEvent) -> SafeString:
    """What was reported later."""
    return badge(event.type, _EVENT_TONES.get(event.type, "danger"))


def link(model: type[Model], pk: object, text: object) -> SafeString:
    """A link to a row's own page."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    return format_html('<a class="crl-link" href="{}">{}</a>', url, text)


def list_link(model: type[Model], query: str, text: object) -> SafeString:
    """A link to a list, filtered by `query` (already encoded)."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a class="crl-link" href="{}?{}">{}</a>', url, query, text)


def page_of(public_id: str) -> str:
    """The page of what has this public id; empty for one that has none."""
    for prefix, model in _PAGES.items():
        if pk := ids.decode(prefix, public_id):
            return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    return ""


def notification_link(pk: UUID) -> SafeString:
    return link(Notification, pk, ids.encode("ntf", pk))


def delivery_link(pk: UUID) -> SafeString:
    return link(Delivery, pk, ids.encode("dlv", pk))


def code(text: object) -> SafeString:
    """An id, in a fixed-width face that wraps anywhere rather than widening the page."""
    return format_html('<code class="crl-id">{}</code>', text)


def recipient_link(row: Any) -> SafeString:
    """Whose it is; who was erased is called so."""
    recipient = related(row, "recipient")
    return badge("erased", "") if recipient is None else link(Recipient, recipient.pk, recipient)


def readable(sentence: str) -> str:
    """A sentence with its RFC 3339 times as people read them."""
    return _RFC_3339.sub(r"\1 \2 UTC", sentence)


def time(moment: datetime | None) -> SafeString | str:
    """Relative, with the exact time on hover and for assistive technology."""
    if moment is None:
        return NONE
    exact = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, when.ago(moment))


def exact_time(moment: datetime | None) -> SafeString | str:
    """The exact time with the distance beside it; for detail pages."""
    if moment is None:
        return NONE
    exact = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html("{} <span class=crl-soft>({})</span>", exact, when.ago(moment))


def pretty(value: Any) -> SafeString | str:
    """JSON, indented."""
    if value in (None, {}, [], ""):
        return NONE
    return format_html('<pre class="crl-json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False, default=str))


def related(row: Model, name: str) -> Any:
    """A related row, or None when it is gone (deliveries have no foreign key constraints)."""
    field = row._meta.get_field(name)
    try:
        return getattr(row, name)
    except field.related_model.DoesNotExist:  # type: ignore[union-attr]
        return None

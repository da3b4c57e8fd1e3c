"""The cells of `deploy/admin/display.py` for templates."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from delivery.models import Delivery
from delivery.reasons import explain
from deploy.admin import display, when
from notifications.models import Recipient
from notifications.texts import parse_time

register = template.Library()
register.filter("outcome_badge", display.outcome_badge)
register.filter("exact_time", display.exact_time)
register.filter("pretty", display.pretty)
register.filter("took", when.duration_text)
register.filter("ago", when.ago)
register.filter("state_badge", display.badge)
register.filter("readable", display.readable)


@register.filter
def reason_sentence(code: str) -> str:
    """What a reason or outcome means."""
    return explain(code).says


@register.filter
def run_badge(state: str) -> SafeString:
    """A walk's state."""
    return display.badge(state, display.RUN_TONES.get(state, ""))


@register.filter
def page_of(public_id: str) -> str:
    """The admin's page of what has this id."""
    return display.page_of(public_id)


@register.filter
def said_time(text: str | None) -> SafeString | str:
    """A decision's RFC 3339 time as people read it."""
    return display.exact_time(parse_time(text)) if text else "at a time that is not kept"


@register.filter
def recipient_name(delivery: Delivery) -> SafeString:
    """A link to the recipient, with the endpoint's URL below it where there is one."""
    recipient = display.related(delivery, "recipient")
    if recipient is None:
        return display.badge("erased", "")
    who = display.link(Recipient, recipient.pk, recipient)
    endpoint = display.related(delivery, "endpoint")
    return who if endpoint is None else format_html('{}<br><span class="crl-soft crl-id">{}</span>', who, endpoint.url)

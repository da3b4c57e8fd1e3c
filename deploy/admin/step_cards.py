"""A workflow's steps in words, for the page that draws them one below the other. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from notifications.workflows import logic_words
from notifications.workflows.definition import (
    AnyStep,
    ChannelStep,
    ConditionStep,
    Definition,
    DelayStep,
    DigestStep,
    EscalateStep,
    FallbackStep,
    Template,
    ThrottleStep,
    Window,
)

_ICONS: Final = {
    "in_app": "notifications",
    "email": "mail",
    "webhook": "webhook",
    "sms": "sms",
    "push": "mobile_friendly",
    "chat": "chat",
}
_QUIET: Final = {
    "defer": "In quiet hours it waits.",
    "digest": "In quiet hours it is collected.",
    "drop": "In quiet hours it is dropped.",
    "break_through": "Goes out in quiet hours too.",
}
_FIELDS: Final = {"subject": 0, "title": 1, "body": 2, "html": 3, "action_url": 4}
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Said:
    """One template: `where` is a channel or locale, `fields` are its texts; or the `key` of a stored one."""

    where: str
    key: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """One step. `tone` is the colour of what kind of thing it does: say, wait, decide, insist."""

    key: str
    icon: str
    tone: str
    title: str
    sentences: tuple[str, ...]
    condition: str
    otherwise: str
    said: tuple[Said, ...] = ()


def cards(definition: Definition) -> list[Card]:
    """All steps in order."""
    return [_card(step) for step in definition.steps]


def lasting(seconds: float) -> str:
    """`15 minutes`, `1 day 12 hours`."""
    left, parts = timedelta(seconds=seconds).total_seconds(), []
    for size, unit in _UNITS:
        count = int(left // size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
        left -= count * size
    return " ".join(parts) or f"{seconds:g} seconds"


def _card(step: AnyStep) -> Card:
    icon, tone, title, sentences, said = _words(step)
    condition = "" if step.condition is None else logic_words.words(step.condition)
    otherwise = "skip this step"
    if isinstance(step, ConditionStep):
        otherwise = f"go on at {step.otherwise}" if step.otherwise else "end here"
    return Card(step.key, icon, tone, title, tuple(filter(None, sentences)), condition, otherwise, tuple(said))


def _words(step: AnyStep) -> tuple[str, str, str, list[str], list[Said]]:
    match step:
        case ChannelStep():
            quiet = _QUIET.get(step.quiet_hours or "", "")
            return _ICONS.get(step.channel, "send"), "say", step.channel, [quiet], _said(step.template, "")
        case DelayStep():
            wait = lasting(step.seconds) if step.seconds is not None else f"until {step.until}"
            return "hourglass_top", "wait", "Delay", [f"Waits {wait}."], []
        case ConditionStep():
            return "alt_route", "decide", "Condition", ["Goes on only where it holds."], []
        case DigestStep():
            return "library_books", "wait", "Digest", _digest(step), []
        case ThrottleStep():
            over = "The rest waits." if step.on_limit == "defer" else "The rest ends here."
            under = f" for each {step.throttle_key}" if step.throttle_key else ""
            return (
                "speed",
                "decide",
                "Throttle",
                [f"At most {step.limit} in {lasting(step.window_seconds)}{under}.", over],
                [],
            )
        case FallbackStep():
            way = ", then ".join(step.channels)
            sentence = f"Tries {way}; each has {lasting(step.wait_seconds)} to be {step.until}."
            return "low_priority", "insist", "Fallback", [sentence], _by_channel(step.templates)
        case EscalateStep():
            sentence = f"Every {lasting(step.every_seconds)}, {step.times} times, until acknowledged: tells {', '.join(step.to)}"
            return (
                "campaign",
                "insist",
                "Escalate",
                [f"{sentence} by {', '.join(step.channels)}."],
                _by_channel(step.templates),
            )


def _digest(step: DigestStep) -> list[str]:
    under = f"Collects for each {step.digest_key}" if step.digest_key else "Collects"
    order = step.order.replace("_", " ")
    return [
        f"{under} {_window(step.window)}; up to {step.max_items}, {order}.",
        "The first goes out at once." if step.first_at_once else "",
        "Ends here if everything was cancelled." if step.skip_if_empty else "",
    ]


def _window(window: Window) -> str:
    zone = "the recipient's time" if window.timezone in (None, "recipient") else window.timezone
    if window.seconds is not None:
        return f"for {lasting(window.seconds)}"
    if window.sliding_seconds is not None:
        longest = f", {lasting(window.max_seconds)} at most" if window.max_seconds is not None else ""
        return f"until nothing came for {lasting(window.sliding_seconds)}{longest}"
    return f"until the next {window.cron or window.rrule} ({zone})"


def _said(template: Template, where: str) -> list[Said]:
    if isinstance(template, str):
        return [Said(where, key=template)]
    locales: Any = template.get("locales")
    if not isinstance(locales, Mapping):
        return [Said(where, fields=_in_order(template))]
    names = sorted(locales, key=lambda name: (name != "default", name))
    return [Said(f"{where} {name}".strip(), fields=_in_order(locales[name])) for name in names]


def _in_order(fields: Mapping[str, str]) -> dict[str, str]:
    """As one reads a message; what is stored has lost its order."""
    return dict(sorted(fields.items(), key=lambda item: (_FIELDS.get(item[0], len(_FIELDS)), item[0])))


def _by_channel(templates: Mapping[str, Template]) -> list[Said]:
    return [said for channel, template in templates.items() for said in _said(template, channel)]

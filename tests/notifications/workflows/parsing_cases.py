"""Definitions to begin from."""

from typing import Any

from notifications.errors import Invalid
from notifications.workflows.definition import Definition
from notifications.workflows.parsing import parse_definition

CHANNELS = frozenset({"in_app", "email", "webhook", "sms", "push"})

COMMENT: dict[str, Any] = {
    "name": "Comments",
    "category": "collab",
    "schema": {"type": "object", "required": ["thread"], "properties": {"thread": {"type": "string"}}},
    "steps": [
        {
            "key": "bell",
            "type": "in_app",
            "template": {"title": "{{ actor.name }} commented", "body": "{{ data.text }}"},
        },
        {"key": "wait", "type": "digest", "digest_key": "{{ data.thread }}", "window": {"for": "PT30M"}},
        {
            "key": "mail",
            "type": "email",
            "if": {"!": {"var": "steps.bell.seen"}},
            "template": {"subject": "{{ total_items }} new comments", "body": "..."},
        },
        {"key": "later", "type": "delay", "for": "PT15M"},
        {"key": "reach", "type": "fallback", "channels": ["push", "sms"], "until": "seen", "wait": "PT5M"},
        {"key": "climb", "type": "escalate", "to": ["lead"], "every": "PT15M", "times": 3, "until": "acknowledged"},
    ],
}


def parse(raw: Any, channels: frozenset[str] | None = CHANNELS) -> Definition:
    """The definition, on our channels."""
    return parse_definition(raw, channels=channels)


def of_steps(*steps: Any) -> dict[str, Any]:
    """A workflow of these steps."""
    return {"name": "Any", "steps": list(steps)}


def faults(raw: Any) -> dict[str, str]:
    """What is wrong with it: pointer -> detail."""
    try:
        parse(raw)
    except Invalid as error:
        return {fault.pointer: fault.detail for fault in error.faults}
    return {}

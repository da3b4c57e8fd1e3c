"""The variables of a preview: what the caller gives, and something to look at where a real notification would have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from notifications.models import Project, ProjectSettings
from notifications.templating.plain import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """For whom, and what happened."""

    locale: str | None = None
    timezone: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    recipient: Mapping[str, Any] = field(default_factory=dict)
    actor: Mapping[str, Any] | None = None
    items: Sequence[Any] = ()


def sample_context(sample: Sample, project: Project, settings: ProjectSettings) -> dict[str, Any]:
    """All variables that a rendering has; the links lead nowhere."""
    items = [item if isinstance(item, Mapping) and "data" in item else {"data": item} for item in sample.items]
    actors = [item["actor"] for item in items if isinstance(item.get("actor"), Mapping)]
    distinct = list({text_of(actor.get("id") or actor.get("name")): actor for actor in actors}.values())
    return {
        "data": dict(sample.data),
        "recipient": {"id": "preview", "data": {}, **sample.recipient},
        "actor": None if sample.actor is None else dict(sample.actor),
        "workflow": {"key": "preview", "name": "Preview"},
        "category": None,
        "notification": {"id": "ntf_preview"},
        "project": {"name": project.name},
        "brand": {"name": project.name, **settings.brand},
        "items": items,
        "total_items": len(items),
        "actors": distinct,
        "total_actors": len(distinct),
        "groups": [],
        "item": items[0] if items else None,
        "unsubscribe_url": "https://example.com/unsubscribe",
        "preferences_url": "https://example.com/preferences",
        "acknowledge_url": "https://example.com/acknowledge",
    }

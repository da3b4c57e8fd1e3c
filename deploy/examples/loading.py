"""Workflows to begin with: `<key>.json` holds what to PUT and a notification that follows it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from notifications.errors import NotFound
from notifications.services.workflows import put_workflow
from notifications.workflows.selectors import get_workflow


@dataclass(frozen=True, slots=True)
class Example:
    """One workflow and a request for it."""

    key: str
    workflow: dict[str, Any]
    notification: dict[str, Any]


def read_examples() -> list[Example]:
    """All of them, by key."""
    files = sorted(Path(__file__).parent.glob("*.json"))
    return [Example(path.stem, **json.loads(path.read_text("utf-8"))) for path in files]


def load_example(example: Example, *, project_id: UUID) -> bool:
    """Publish it unless the project has a workflow of this key, which is left alone; whether it was published. Raises `Invalid`."""
    try:
        get_workflow(project_id=project_id, key=example.key)
    except NotFound:
        put_workflow(project_id=project_id, key=example.key, definition=example.workflow)
        return True
    return False

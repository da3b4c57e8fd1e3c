"""The scenes of `/demo`: the example workflows, each with what it shows, and a request as an application would make it.

What takes minutes or longer in the example passes in seconds here, under a key of its own; everything else is the example itself.
"""

import copy
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from deploy.examples.loading import Example, load_example, read_examples
from notifications.clock import utc_now
from notifications.models import Recipient
from notifications.services.recipients import put_recipient
from notifications.services.workflows import put_workflow

_COMMENTS: Final = (
    "Could the handle be on the other side?",
    "I like the blue one better.",
    "The hinges look heavy. Are they?",
    "Ready from my side.",
    "One more thing: where does the letterbox go?",
)
_FIGURES: Final = (
    ("New customers", 1204, 0.08),
    ("Orders", 3871, -0.02),
    ("Open tickets", 42, -0.31),
    ("Uptime", 99.98, 0),
)
_PEOPLE: Final[Mapping[str, str]] = {"ben": "Ben", "carla": "Carla", "dev": "Dev"}
_CALLED: Final[Mapping[str, str]] = {"on-call": "On call", "team-lead": "Team lead"}


@dataclass(frozen=True, slots=True)
class Scene:
    """One button. `story` says what to watch for; `again` what pressing it once more does."""

    key: str
    title: str
    story: str
    again: str
    button: str
    looks_away: bool = False
    """Whether the page puts the inbox away, so that what asks whether it was seen finds that it was not."""


SCENES: Final = (
    Scene(
        "order-shipped",
        "Order shipped",
        "One call, two channels: a message in the inbox at once, a mail in the language of whoever gets it.",
        "",
        "Ship an order",
    ),
    Scene(
        "comment",
        "Comment digest",
        "Each comment rings in the inbox. For the mail they are collected until it has been quiet for 15 seconds; "
        "who has seen them in the inbox by then gets none.",
        "Press it a few times: each comment joins, and the window moves on.",
        "Write a comment",
        looks_away=True,
    ),
    Scene(
        "login-code",
        "Login code",
        "Critical: it passes quiet hours and preferences. Five codes in a quarter of an hour are let through, the sixth is not.",
        "Press it six times and see the last one refused.",
        "Send me a code",
    ),
    Scene(
        "weekly-report",
        "Weekly report",
        "Figures are collected all week and go out on Monday at nine, by the clock on the wall of whoever reads them.",
        "Add more figures; they wait together.",
        "Add a figure",
    ),
    Scene(
        "incident",
        "Incident",
        "Somebody has to take care. Until they say so, every 20 seconds the next one is called: first on-call, then the team lead.",
        "",
        "Payments fail!",
    ),
)


def scene_of(key: str) -> Scene | None:
    """The scene of this key."""
    return next((scene for scene in SCENES if scene.key == key), None)


@cache
def _example(key: str) -> Example:
    return next(example for example in read_examples() if example.key == key)


def publish_scene(scene: Scene, *, project_id: UUID) -> str:
    """See that its workflow and people are there; the workflow's key. Raises `Invalid` where the installation lacks a channel.

    An example that the project has changed is left as it is.
    """
    example = _example(scene.key)
    for name, says in {**_PEOPLE, **_CALLED}.items():
        if not Recipient.objects.filter(project_id=project_id, external_id=name).exists():
            fields = {"name": says, "email": f"{name}@example.com"}
            put_recipient(project_id=project_id, external_id=name, fields=fields)
    quicken = _QUICKER.get(scene.key)
    if quicken is None:
        load_example(example, project_id=project_id)
        return example.key
    definition = copy.deepcopy(example.workflow)
    for step in definition["steps"]:
        quicken(step)
    key = f"{example.key}-quick"
    put_workflow(project_id=project_id, key=key, definition={**definition, "name": f"{definition['name']}, quick"})
    return key


def request_of(scene: Scene, workflow: str, recipient: dict[str, Any]) -> dict[str, Any]:
    """What an application would POST to `/v1/notifications`, a little different each time."""
    body: dict[str, Any] = copy.deepcopy(_example(scene.key).notification)
    body |= {"workflow": workflow, "recipients": [recipient]}
    vary = _VARIED.get(scene.key)
    if vary is not None:
        vary(body)
    return body


def _hurry_comments(step: dict[str, Any]) -> None:
    if step["type"] == "digest":
        step["window"] = {"sliding": "PT15S", "max": "PT2M"}


def _hurry_incident(step: dict[str, Any]) -> None:
    if step["type"] == "escalate":
        step["every"] = "PT20S"


def _vary_order(body: dict[str, Any]) -> None:
    body["data"]["number"] = str(1000 + secrets.randbelow(9000))
    body["data"]["arrives_on"] = (utc_now() + timedelta(days=2)).date().isoformat()


def _vary_comment(body: dict[str, Any]) -> None:
    body["actor"] = secrets.choice(list(_PEOPLE))
    body["data"]["text"] = secrets.choice(_COMMENTS)


def _vary_code(body: dict[str, Any]) -> None:
    body["data"]["code"] = f"{secrets.randbelow(900) + 100}-{secrets.randbelow(900) + 100}"


def _vary_figure(body: dict[str, Any]) -> None:
    metric, value, change = secrets.choice(_FIGURES)
    body["data"] = {"metric": metric, "value": value, "change": change}


_QUICKER: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    "comment": _hurry_comments,
    "incident": _hurry_incident,
}
_VARIED: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    "order-shipped": _vary_order,
    "comment": _vary_comment,
    "login-code": _vary_code,
    "weekly-report": _vary_figure,
}

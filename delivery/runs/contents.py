"""What the deliveries of workflows say: templates filled in when they go out, for a whole batch with a handful of queries.

A delivery names its step; the notification's version of the workflow has the step's template, stored templates are read as
published now. Deliveries without a step say what their notification says and are not looked at here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.claims import Message, read_messages
from delivery.runs.facts import actors_of, people_of
from delivery.runs.rows import versions_of
from notifications import ids
from notifications.acknowledge_links import acknowledge_url
from notifications.templating.errors import TemplateError
from notifications.templating.library import Library
from notifications.templating.loading import load_library
from notifications.templating.rendering import RenderedContent, render_content
from notifications.texts import format_time
from notifications.workflows.definition import AnyStep, ChannelStep, DigestStep, EscalateStep, FallbackStep, Template
from notifications.workflows.versions import Version

Connection = AsyncConnection[TupleRow]

_ITEMS: Final = """
    SELECT digest_id, notification_id FROM schedules_digestitem
     WHERE digest_id = ANY(%s) AND removed_at IS NULL ORDER BY digest_id, id"""
_PROJECTS: Final = """
    SELECT p.id, p.name, coalesce(s.brand, '{}'), coalesce(s.default_locale, 'en'), coalesce(s.timezone, 'UTC')
      FROM notifications_project p LEFT JOIN notifications_projectsettings s ON s.project_id = p.id WHERE p.id = ANY(%s)"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One delivery of a workflow's step that is about to go out."""

    delivery_id: UUID
    project_id: UUID
    notification_id: UUID
    recipient_id: UUID
    channel: str
    label: str
    digest_id: UUID | None
    links: Mapping[str, str]
    """`unsubscribe_url`, `preferences_url`: where the channel has them."""


Written = Message | TemplateError


async def write_contents(
    connection: Connection, wanted: Sequence[Wanted], messages: Mapping[UUID, Message]
) -> dict[UUID, Written]:
    """By delivery: its message as the step's template has it, or why that cannot be said. `messages` are those of their
    notifications."""
    if not wanted:
        return {}
    batch = await _read(connection, wanted, messages)
    return {each.delivery_id: write_one(each, batch) for each in wanted if each.notification_id in messages}


@dataclass(frozen=True, slots=True)
class Project:
    """What a project puts into its texts."""

    name: str
    brand: dict[str, Any]
    default_locale: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that some deliveries' texts are made of."""

    messages: Mapping[UUID, Message]
    versions: Mapping[UUID, Version]
    items: Mapping[UUID, list[UUID]]
    people: Mapping[UUID, dict[str, Any]]
    actors: Mapping[tuple[UUID, str], dict[str, Any]]
    projects: Mapping[UUID, Project]
    libraries: Mapping[UUID, Library]


async def _read(connection: Connection, wanted: Sequence[Wanted], messages: Mapping[UUID, Message]) -> Batch:
    digests = list({each.digest_id for each in wanted if each.digest_id is not None})
    items: dict[UUID, list[UUID]] = defaultdict(list)
    if digests:
        for digest_id, notification_id in await (await connection.execute(_ITEMS, (digests,), prepare=True)).fetchall():
            items[digest_id].append(notification_id)
    missing = {n for names in items.values() for n in names} - messages.keys()
    known = {**messages, **(await read_messages(connection, list(missing)) if missing else {})}
    versions = await versions_of(connection, (v for m in known.values() if (v := m.version_id) is not None))
    projects = {
        row[0]: Project(*row[1:])
        for row in await (await connection.execute(_PROJECTS, (list({w.project_id for w in wanted}),))).fetchall()
    }
    keys: dict[UUID, set[str]] = defaultdict(set)
    for each in wanted:
        found = _template(each, known.get(each.notification_id), versions)
        keys[each.project_id] |= {found[1]} if found is not None and isinstance(found[1], str) else set()
    libraries = {project_id: await load_library(connection, project_id, names) for project_id, names in keys.items()}
    return Batch(
        messages=known,
        versions=versions,
        items=items,
        people=await people_of(connection, (each.recipient_id for each in wanted)),
        actors=await actors_of(connection, ((m.project_id, m.actor) for m in known.values())),
        projects=projects,
        libraries=libraries,
    )


def write_one(wanted: Wanted, batch: Batch) -> Written:
    """The message of one of them, or why that cannot be said. Pure."""
    found = _template(wanted, batch.messages.get(wanted.notification_id), batch.versions)
    if found is None:
        return TemplateError("", f"The workflow has no step {wanted.label!r} for {wanted.channel}.")
    step, template, version = found
    context = _context(wanted, version, step, batch)
    project, person = batch.projects[wanted.project_id], context["recipient"]
    try:
        rendered = render_content(
            template,
            channel=wanted.channel,
            context=context,
            locale=person.get("locale"),
            timezone=person.get("timezone") or project.timezone,
            default_locale=project.default_locale,
            library=batch.libraries[wanted.project_id],
        )
    except TemplateError as error:
        return error
    data = context["data"]
    if wanted.digest_id is not None:  # whoever takes it by machine gets all of it
        data = {**data, "items": context["items"], "total_items": context["total_items"]}
    return replace(batch.messages[wanted.notification_id], content=_content(rendered), data=data)


def _content(rendered: RenderedContent) -> dict[str, Any]:
    content = {"title": rendered.title, "body": rendered.body, "action_url": rendered.action_url}
    return content if rendered.html is None else {**content, "html": rendered.html}


def _template(
    wanted: Wanted, message: Message | None, versions: Mapping[UUID, Version]
) -> tuple[AnyStep, Template, Version] | None:
    version = versions.get(message.version_id) if message is not None and message.version_id is not None else None
    if version is None:
        return None
    position = version.definition.position(wanted.label.partition("#")[0])
    step = None if position is None else version.definition.steps[position]
    match step:
        case ChannelStep():
            return step, step.template, version
        case FallbackStep() | EscalateStep() if wanted.channel in step.templates:
            return step, step.templates[wanted.channel], version
    return None


def _context(wanted: Wanted, version: Version, step: AnyStep, batch: Batch) -> dict[str, Any]:
    about = batch.items[wanted.digest_id] if wanted.digest_id is not None else [wanted.notification_id]
    said = [(n, batch.messages[n]) for n in about if n in batch.messages]
    notification_id, latest = said[-1] if said else (wanted.notification_id, batch.messages[wanted.notification_id])
    items = [_item(n, message, batch) for n, message in said]
    if _newest_first(version, step):
        items.reverse()
    actors = list({item["actor"]["id"]: item["actor"] for item in items if item["actor"]}.values())
    project = batch.projects[wanted.project_id]
    return {
        "data": latest.data,
        "recipient": batch.people.get(wanted.recipient_id, {}),
        "actor": _actor(latest, batch),
        "workflow": {"key": version.key, "name": version.definition.name},
        "category": latest.category,
        "notification": {
            "id": ids.encode("ntf", notification_id),
            "created_at": format_time(latest.created_at),
        },
        "brand": {"name": project.name, **project.brand},
        "project": {"name": project.name},
        "items": items,
        "total_items": len(items),
        "actors": actors,
        "total_actors": len(actors),
        "groups": _groups(items),
        "acknowledge_url": acknowledge_url(_acknowledged(wanted, about), wanted.recipient_id),
        **wanted.links,
    }


def _acknowledged(wanted: Wanted, about: Sequence[UUID]) -> UUID:
    """The one that the in-app message names, so that both say the same; of a digest that it has left, the latest."""
    return wanted.notification_id if wanted.notification_id in about or not about else about[-1]


def _item(notification_id: UUID, message: Message, batch: Batch) -> dict[str, Any]:
    return {
        "id": ids.encode("ntf", notification_id),
        "data": message.data,
        "actor": _actor(message, batch),
        "category": message.category,
        "created_at": format_time(message.created_at),
    }


def _actor(message: Message, batch: Batch) -> dict[str, Any] | None:
    return batch.actors.get((message.project_id, message.actor)) if message.actor else None


def _groups(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items by who caused them, in the order in which each first appears."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        actor = item["actor"]
        group = found.setdefault(actor["id"] if actor else "", {"actor": actor, "items": []})
        group["items"].append(item)
    return [{**group, "total_items": len(group["items"])} for group in found.values()]


def _newest_first(version: Version, step: AnyStep) -> bool:
    """As the digest before this step says."""
    before = version.definition.steps[: version.definition.steps.index(step)]
    digest = next((each for each in reversed(before) if isinstance(each, DigestStep)), None)
    return digest is not None and digest.order == "newest_first"

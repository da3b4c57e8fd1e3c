"""What a digest would say if it closed now, for whoever looks at it. Reads only; nothing is sent, closed or kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.html import strip_tags

from delivery.claims import Message
from delivery.models import Run
from delivery.runs.contents import Batch, Project, Wanted, write_one
from delivery.runs.steps import AFTER_QUIET
from notifications.errors import Invalid
from notifications.models import Notification, Recipient, WorkflowVersion
from notifications.template_selectors import settings_of
from notifications.templating.errors import TemplateError
from notifications.templating.reading import read_library
from notifications.workflows.definition import ChannelStep, Definition, DigestStep
from notifications.workflows.logic_words import words
from notifications.workflows.versions import Version, learn_version
from schedules.models import Digest, DigestItem

_MOST_ITEMS: Final = 1000


@dataclass(frozen=True, slots=True)
class DigestPreview:
    """What one step behind the digest would say; `condition` is what it will be asked then, in words."""

    step: str
    channel: str
    condition: str
    title: str
    body: str
    error: str


def preview_digest(digest: Digest) -> list[DigestPreview]:
    """One for each channel that the digest's walk would speak on before it collects again; none where that cannot be told."""
    run = Run.objects.filter(digest_id=digest.pk).order_by("id").first()
    items = DigestItem.objects.filter(digest=digest, removed_at=None).order_by("id")
    about = list(items.values_list("notification_id", flat=True)[:_MOST_ITEMS])
    version = _version(run.version_id) if run is not None else None
    if run is None or version is None or not about:
        return []
    steps = _steps_behind(version.definition, digest.step)
    batch = _read(digest, version, [run.notification_id, *about], steps, about)
    return [_preview(step, digest, run.notification_id, batch) for step in steps]


def _version(version_id: UUID) -> Version | None:
    row = WorkflowVersion.objects.select_related("workflow").filter(id=version_id).first()
    if row is None:
        return None
    try:
        return learn_version(row.id, row.workflow_id, row.workflow.key, row.number, row.definition)
    except Invalid:  # an older release stored what this one cannot read
        return None


def _steps_behind(definition: Definition, step: str) -> list[ChannelStep]:
    """What speaks behind this step, up to the next digest; what was collected in quiet hours is said by the step itself."""
    quiet = step.endswith(AFTER_QUIET)
    position = definition.position(step.removesuffix(AFTER_QUIET))
    if position is None:
        return []
    if quiet:
        own = definition.steps[position]
        return [own] if isinstance(own, ChannelStep) else []
    found: list[ChannelStep] = []
    for each in definition.steps[position + 1 :]:
        if isinstance(each, DigestStep):
            break
        if isinstance(each, ChannelStep):
            found.append(each)
    return found


def _read(
    digest: Digest, version: Version, notification_ids: Sequence[UUID], steps: Sequence[ChannelStep], about: list[UUID]
) -> Batch:
    rows = Notification.objects.filter(id__in=set(notification_ids))
    messages = {row.id: _message(row) for row in rows}
    settings = settings_of(digest.project_id)
    project = Project(settings.project.name, settings.brand, settings.default_locale, settings.timezone)
    keys = {step.template for step in steps if isinstance(step.template, str)}
    names = ("id", "name", "email", "phone", "locale", "timezone", "data")
    person = Recipient.objects.filter(id=digest.recipient_id).values_list("external_id", *names[1:]).first()
    people = {} if person is None else {digest.recipient_id: dict(zip(names, person, strict=True))}
    return Batch(
        messages=messages,
        versions={version.id: version} | {m.version_id: version for m in messages.values() if m.version_id},
        items={digest.pk: about},
        people=people,
        actors=_actors(digest.project_id, {m.actor for m in messages.values() if m.actor}),
        projects={digest.project_id: project},
        libraries={digest.project_id: read_library(digest.project_id, keys)},
    )


def _message(row: Notification) -> Message:
    return Message(
        content=row.content,
        data=row.data,
        workflow=row.workflow,
        category=row.category,
        actor=row.actor,
        created_at=row.created_at,
        project_id=row.project_id,
        thread=row.thread,
        version_id=row.workflow_version_id,
    )


def _actors(project_id: UUID, names: set[str]) -> dict[tuple[UUID, str], dict[str, str]]:
    known = dict(
        Recipient.objects.filter(project_id=project_id, external_id__in=names).values_list("external_id", "name")
    )
    return {(project_id, name): {"id": name, "name": known.get(name) or name} for name in names}


def _preview(step: ChannelStep, digest: Digest, opener: UUID, batch: Batch) -> DigestPreview:
    wanted = Wanted(
        delivery_id=digest.pk,
        project_id=digest.project_id,
        notification_id=opener,
        recipient_id=digest.recipient_id,
        channel=step.channel,
        label=step.key,
        digest_id=digest.pk,
        links={},
    )
    condition = "" if step.condition is None else words(step.condition)
    said = write_one(wanted, batch)
    if isinstance(said, TemplateError):
        return DigestPreview(step.key, step.channel, condition, "", "", str(said.detail))
    content = said.content
    body = content.get("body") or strip_tags(content.get("html") or "").strip()
    return DigestPreview(step.key, step.channel, condition, content.get("title") or "", body, "")

"""What a caller may submit: shapes and every check that needs no database. Pure.

`parse_submission` takes decoded JSON and gives a `Submission` ready to be written, or raises `Invalid` with JSON
Pointers. The msgspec structs are the one definition of the request; the OpenAPI document is generated from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec

from notifications import ids, texts
from notifications.conf import NotificationsConf
from notifications.decoding import convert
from notifications.errors import Fault, Invalid
from notifications.intake.attachments import AttachmentIn, check_attachments
from notifications.workflows.versions import Version

Text = Annotated[str, msgspec.Meta(max_length=255)]


class ContentIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is said. At least one of `title` and `body`."""

    title: Annotated[str, msgspec.Meta(max_length=1000, description="One line.")] = ""
    body: Annotated[str, msgspec.Meta(max_length=50_000, description="Markdown.")] = ""
    action_url: Annotated[str, msgspec.Meta(max_length=2048)] | None = None
    attachments: list[AttachmentIn] | msgspec.UnsetType = msgspec.UNSET


class RenderedContentIn(ContentIn, forbid_unknown_fields=True, kw_only=True):
    """What a template has said; never decoded from a request."""

    html: str


class RecipientIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A recipient created or updated on the way; fields that are left out stay as they are."""

    id: Text
    email: Annotated[str, msgspec.Meta(max_length=320)] | msgspec.UnsetType | None = msgspec.UNSET
    phone: Annotated[str, msgspec.Meta(max_length=16)] | msgspec.UnsetType | None = msgspec.UNSET
    name: Text | msgspec.UnsetType | None = msgspec.UNSET
    locale: Annotated[str, msgspec.Meta(max_length=35)] | msgspec.UnsetType | None = msgspec.UNSET
    timezone: Annotated[str, msgspec.Meta(max_length=64)] | msgspec.UnsetType | None = msgspec.UNSET
    data: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class TopicIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Everybody who is subscribed to this topic when the notification is routed."""

    topic: Text


class NotificationIn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One request to tell somebody something: a stored workflow by its key, or content and channels."""

    recipients: Annotated[list[Any], msgspec.Meta(min_length=1)]
    content: ContentIn | None = None
    channels: (
        Annotated[
            list[str],
            msgspec.Meta(
                min_length=1, max_length=20, description="With a workflow: use only these of the channels it uses."
            ),
        ]
        | None
    ) = None
    workflow: Annotated[str, msgspec.Meta(max_length=255, description="The key of a published workflow.")] | None = None
    data: Annotated[
        dict[str, Any], msgspec.Meta(description="For templates and conditions; checked against the workflow's schema.")
    ] = {}
    category: Annotated[str, msgspec.Meta(max_length=255, description="Without one: the workflow's.")] | None = None
    critical: Annotated[bool, msgspec.Meta(description="True where the workflow is critical.")] = False
    quiet_hours: (
        Annotated[
            Literal["defer", "drop", "break_through"],
            msgspec.Meta(
                description="What becomes of it where recipients have quiet hours: it waits for their end, is dropped, or comes all the"
                " same. Without: as the recipient or the project says. Not with a workflow, whose steps say it (and may also collect"
                " what comes in a digest)."
            ),
        ]
        | None
    ) = None
    actor: Text | None = None
    thread: (
        Annotated[
            str,
            msgspec.Meta(
                min_length=1,
                max_length=255,
                description="Mail programs show the mails of one thread together, such as `ticket-42`, per recipient.",
            ),
        ]
        | None
    ) = None
    send_at: str | None = None
    expires_at: str | None = None
    cancellation_key: Text | None = None
    metadata: dict[str, Any] = {}


RECIPIENT_FIELDS: Final = ("email", "phone", "name", "locale", "timezone", "data")


@dataclass(slots=True)
class Submission:
    """One checked notification on its way into the database."""

    id: UUID
    project_id: UUID
    created_at: datetime
    body: NotificationIn
    entries: list[Any]  # "u1" or {"topic": "t"}: what routing expands
    upserts: list[RecipientIn]
    topics: list[tuple[int, str]]  # (index into recipients, key)
    send_at: datetime | None
    expires_at: datetime | None
    key_id: UUID | None = None  # the API key it came with
    version: Version | None = None  # of the workflow it names; found by the writer

    @property
    def category(self) -> str | None:
        """Its own, or else the workflow's."""
        return self.body.category or (self.version.definition.category if self.version else None)

    @property
    def critical(self) -> bool:
        """Either says so."""
        return self.body.critical or (self.version is not None and self.version.definition.critical)


_CHECKS: Final[dict[str, Callable[[str], str]]] = {
    "email": texts.check_email,
    "phone": texts.check_phone,
    "name": texts.check_line,
    "locale": texts.check_locale,
    "timezone": texts.check_timezone,
}


def parse_submission(
    raw: Any, *, project_id: UUID, conf: NotificationsConf, now: datetime, key_id: UUID | None = None
) -> Submission:
    """Check one decoded request body. Raises `Invalid`."""
    body = convert(raw, NotificationIn)
    faults = _check_fields(body, conf)
    entries, upserts, topics = _parse_recipients(body.recipients, conf, faults)
    send_at, expires_at = _parse_times(body, conf, now, faults)
    if faults:
        raise Invalid(faults)
    return Submission(
        id=ids.new_uuid(),
        project_id=project_id,
        created_at=now,
        body=body,
        entries=entries,
        upserts=upserts,
        topics=topics,
        send_at=send_at,
        expires_at=expires_at,
        key_id=key_id,
    )


def _check_fields(body: NotificationIn, conf: NotificationsConf) -> list[Fault]:
    faults = _check_who_says(body)
    for index, channel in enumerate(body.channels or ()):
        if channel not in conf.channels:
            faults.append(
                Fault(f"/channels/{index}", f"No such channel; there are {', '.join(sorted(conf.channels))}.")
            )
        elif channel in (body.channels or ())[:index]:
            faults.append(Fault(f"/channels/{index}", "Named twice."))
    if body.content is not None:
        if not body.content.title.strip() and not body.content.body.strip():
            faults.append(Fault("/content", "Needs a title or a body."))
        _check(faults, "/content/title", texts.check_line, body.content.title)
        _check(faults, "/content/action_url", texts.check_url, body.content.action_url)
        faults += check_attachments(body.content.attachments or (), "/content/attachments")
    _check(faults, "/workflow", texts.check_key, body.workflow)
    _check(faults, "/category", texts.check_key, body.category)
    _check(faults, "/actor", texts.check_external_id, body.actor)
    _check(faults, "/thread", texts.check_line, body.thread)
    _check(faults, "/cancellation_key", texts.check_external_id, body.cancellation_key)
    return faults


def _check_who_says(body: NotificationIn) -> list[Fault]:
    """Either the request or a workflow says what is said and how."""
    faults = []
    if body.workflow is not None:
        if body.content is not None:
            faults.append(Fault("/content", "The workflow says what is said; leave content or workflow out."))
        if body.quiet_hours is not None:
            faults.append(Fault("/quiet_hours", "The workflow's steps say it; leave it out."))
    elif body.content is None:
        faults.append(Fault("/content", "Give content and channels, or the key of a workflow."))
    elif body.channels is None:
        faults.append(Fault("/channels", "Say which channels to use."))
    return faults


def _check(faults: list[Fault], pointer: str, check: Callable[[str], str], value: str | None) -> None:
    if value is None:
        return
    try:
        check(value)
    except ValueError as error:
        faults.append(Fault(pointer, str(error)))


def _parse_recipients(
    raw: list[Any], conf: NotificationsConf, faults: list[Fault]
) -> tuple[list[Any], list[RecipientIn], list[tuple[int, str]]]:
    if len(raw) > conf.max_recipients:
        faults.append(Fault("/recipients", f"At most {conf.max_recipients} entries; use a topic for more."))
        return [], [], []
    entries: list[Any] = []
    upserts: list[RecipientIn] = []
    topics: list[tuple[int, str]] = []
    for index, item in enumerate(raw):
        pointer = f"/recipients/{index}"
        if isinstance(item, str):
            _check(faults, pointer, texts.check_external_id, item)
            entries.append(item)
        elif not isinstance(item, dict):
            faults.append(Fault(pointer, 'Must be a recipient\'s id, a recipient object or {"topic": ...}.'))
        elif "topic" in item:
            try:
                topics.append((index, convert(item, TopicIn, pointer).topic))
                entries.append({"topic": item["topic"]})
            except Invalid as error:
                faults.extend(error.faults)
        else:
            try:
                recipient = check_recipient(convert(item, RecipientIn, pointer), pointer)
                upserts.append(recipient)
                entries.append(recipient.id)
            except Invalid as error:
                faults.extend(error.faults)
    return entries, upserts, topics


def check_recipient(recipient: RecipientIn, pointer: str = "") -> RecipientIn:
    """The recipient with its addresses normalised. Raises `Invalid`."""
    faults: list[Fault] = []
    _check(faults, f"{pointer}/id", texts.check_external_id, recipient.id)
    for name, check in _CHECKS.items():
        value = getattr(recipient, name)
        if isinstance(value, str):
            try:
                setattr(recipient, name, check(value))
            except ValueError as error:
                faults.append(Fault(f"{pointer}/{name}", str(error)))
    if faults:
        raise Invalid(faults)
    return recipient


def _parse_times(
    body: NotificationIn, conf: NotificationsConf, now: datetime, faults: list[Fault]
) -> tuple[datetime | None, datetime | None]:
    times: dict[str, datetime | None] = {}
    for name in ("send_at", "expires_at"):
        value = getattr(body, name)
        try:
            times[name] = None if value is None else texts.parse_time(value)
        except ValueError as error:
            times[name] = None
            faults.append(Fault(f"/{name}", str(error)))
    send_at, expires_at = times["send_at"], times["expires_at"]
    if send_at and send_at > now + timedelta(days=conf.max_send_ahead_days):
        faults.append(Fault("/send_at", f"At most {conf.max_send_ahead_days} days ahead."))
    if expires_at and expires_at <= max(send_at or now, now):
        faults.append(Fault("/expires_at", "Must lie after send_at and in the future."))
    return (send_at if send_at and send_at > now else None), expires_at

"""Messages of claimed deliveries, with what the steps of workflows say filled in. Plain notifications cost nothing here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.claims import Claim, Message, read_messages
from delivery.mail_details import links_of
from delivery.routing import EMAIL, IN_APP
from delivery.runs.contents import Wanted, Written, write_contents
from notifications.templating.errors import TemplateError

Connection = AsyncConnection[TupleRow]


class Due(Protocol):
    """A delivery that is about to be stored."""

    @property
    def delivery_id(self) -> UUID: ...
    @property
    def project_id(self) -> UUID: ...
    @property
    def notification_id(self) -> UUID: ...
    @property
    def recipient_id(self) -> UUID: ...
    @property
    def step(self) -> str | None: ...
    @property
    def digest_id(self) -> UUID | None: ...


async def fill(
    connection: Connection, channel: str, claims: Sequence[Claim], messages: Mapping[UUID, Message]
) -> list[tuple[Claim, Message]]:
    """Each claim with its message; those whose notification has gone are left out."""
    pairs = [(item, messages[item.notification_id]) for item in claims if item.notification_id in messages]
    wanted = [
        _wanted(item, channel, links_of(item, message) if channel == EMAIL else {})
        for item, message in pairs
        if item.step
    ]
    written = await write_contents(connection, wanted, messages)
    return [(item, _filled(written.get(item.delivery_id), message)) for item, message in pairs]


async def fill_inbox(connection: Connection, due: Sequence[Due]) -> dict[UUID, Message]:
    """The same for rows that go into inboxes, by delivery."""
    messages = await read_messages(connection, list({row.notification_id for row in due}))
    wanted = [_wanted(row, IN_APP, {}) for row in due if row.step and row.notification_id in messages]
    written = await write_contents(connection, wanted, messages)
    return {
        row.delivery_id: _filled(written.get(row.delivery_id), messages[row.notification_id])
        for row in due
        if row.notification_id in messages
    }


def _wanted(row: Due, channel: str, links: Mapping[str, str]) -> Wanted:
    assert row.step is not None
    return Wanted(
        delivery_id=row.delivery_id,
        project_id=row.project_id,
        notification_id=row.notification_id,
        recipient_id=row.recipient_id,
        channel=channel,
        label=row.step,
        digest_id=row.digest_id,
        links=links,
    )


def _filled(written: Written | None, message: Message) -> Message:
    """What cannot be said takes the place of the content, so that whoever sends it finds out."""
    if isinstance(written, TemplateError):
        return replace(message, content={"unsayable": str(written)})
    return written or message

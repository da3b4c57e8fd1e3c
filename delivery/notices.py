"""Telling a project that something needs a person: an endpoint was disabled.

Two ways, both rows written in the transaction that disabled it, so neither is lost nor sent for nothing: a status event for the
endpoints of the project that want it, and an email to the project's contact address, which is an ordinary notification that comes
through the front door. A notice that cannot be written is logged; it never holds up an outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.status_events.recording import Event, record
from notifications import ids
from notifications.clock import utc_now
from notifications.conf import conf
from notifications.errors import CarillonError
from notifications.intake.requests import Answer, Request
from notifications.intake.submission import Submission, parse_submission
from notifications.intake.writer import write

Connection = AsyncConnection[TupleRow]
log = structlog.get_logger(__name__)

ENDPOINT_DISABLED: Final = "endpoint.disabled"
CONTACT_ID: Final = "carillon-project-contact"
"""The recipient, in every project that has a contact address, who gets these mails."""

_CONTACTS: Final = "SELECT id, contact_email FROM notifications_project WHERE id = ANY(%s) AND contact_email <> ''"
_WHY: Final = {
    "gone": "Its receiver answered 410 Gone.",
    "failing": "Every attempt of the last days failed.",
}


@dataclass(frozen=True, slots=True)
class Disabled:
    """One endpoint that has just been disabled."""

    endpoint_id: UUID
    project_id: UUID
    recipient_id: UUID
    channel: str
    recipient: str
    reason: str

    def as_event(self) -> Event:
        """For `status_events.record`."""
        data = {
            "endpoint_id": self.endpoint_id,
            "recipient_id": self.recipient_id,
            "channel": self.channel,
            "reason": self.reason,
        }
        return self.project_id, ENDPOINT_DISABLED, data


async def tell_disabled(connection: Connection, disabled: Sequence[Disabled]) -> None:
    """Write the events and the mails; inside the caller's transaction."""
    if not disabled:
        return
    await record(connection, [endpoint.as_event() for endpoint in disabled])
    cursor = await connection.execute(_CONTACTS, ([endpoint.project_id for endpoint in disabled],))
    contacts: dict[UUID, str] = dict(await cursor.fetchall())
    for endpoint in disabled:
        log.warning("endpoint_disabled", endpoint=ids.encode("end", endpoint.endpoint_id), reason=endpoint.reason)
        if endpoint.project_id in contacts and "email" in conf().channels:
            await _mail(connection, endpoint, contacts[endpoint.project_id])


async def _mail(connection: Connection, endpoint: Disabled, address: str) -> None:
    try:
        submission = _submission(endpoint, address)
        async with connection.transaction():
            await write(connection, [Request(endpoint.project_id, [submission], _accept)], keep_hours=24)
    except (CarillonError, psycopg.DataError, psycopg.IntegrityError) as error:
        log.error("notice_refused", endpoint=ids.encode("end", endpoint.endpoint_id), error=type(error).__name__)


def _submission(endpoint: Disabled, address: str) -> Submission:
    shown = ids.encode("end", endpoint.endpoint_id)
    said = {
        "title": f"{endpoint.channel} endpoint of {endpoint.recipient} disabled",
        "body": f"Carillon sends nothing more to the endpoint `{shown}` of the recipient `{endpoint.recipient}`.\n\n"
        f"{_WHY.get(endpoint.reason, '')}\n\n"
        'When it works again, enable it with `PATCH` and `{"state": "enabled"}`, and replay what was missed.',
    }
    body = {
        "recipients": [{"id": CONTACT_ID, "email": address}],
        "channels": ["email"],
        "content": said,
        "metadata": {"type": ENDPOINT_DISABLED, "endpoint_id": shown, "reason": endpoint.reason},
    }
    return parse_submission(body, project_id=endpoint.project_id, conf=conf(), now=utc_now())


def _accept(_: object) -> Answer:
    return Answer(202, b"{}")

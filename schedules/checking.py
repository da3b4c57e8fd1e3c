"""Is what a schedule would submit acceptable? Checked when it is saved as it will be when it is made."""

from typing import Any
from uuid import UUID

from notifications.clock import utc_now
from notifications.conf import conf
from notifications.database import UNREACHABLE, connect
from notifications.errors import Fault, Invalid, Unavailable
from notifications.intake.submission import Submission, parse_submission
from notifications.intake.writer import check

_TIMES = ("send_at", "expires_at")


async def check_notification(raw: Any, *, project_id: UUID) -> None:
    """Raises `Invalid` with pointers below `/notification`, or `Unavailable`."""
    try:
        submission = parse(raw, project_id=project_id)
        try:
            async with await connect() as connection:
                await check(connection, submission)
        except UNREACHABLE as error:
            raise Unavailable("The database does not answer. Nothing was changed; try again.") from error
    except Invalid as error:
        raise Invalid([Fault(f"/notification{fault.pointer}", fault.detail) for fault in error.faults]) from error


def parse(raw: Any, *, project_id: UUID) -> Submission:
    """What a schedule submits, checked without the database. Raises `Invalid`."""
    if isinstance(raw, dict) and (given := [name for name in _TIMES if raw.get(name) is not None]):
        raise Invalid([Fault(f"/{name}", "The schedule says when; leave it out.") for name in given])
    return parse_submission(raw, project_id=project_id, conf=conf(), now=utc_now())

"""What a mail to the bounce address says, as feedback. Pure; whatever a stranger sends, it answers and never raises.

Understood are reports in the standard forms, `multipart/report` with a delivery status (RFC 3464, RFC 6533) or a complaint
(RFC 5965). The delivery is named by the headers of our own mail that the report returns: `X-Carillon-Delivery`, else
`Message-ID`; where nothing was returned, by the report's `In-Reply-To` and `References`. A bounce in prose is nothing we know:
guessing would suppress people for an out-of-office note.

At most the first half megabyte is looked at (reports come before what they return), in at most so many lines and multiparts
that the parser, which asks every line for every boundary around it, is done in a fraction of a second.
Mails inside the mail are never parsed as such: only their headers are read.
"""

import hashlib
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from typing import Final
from uuid import UUID

from delivery.feedback.complaint_report import read_complaint_report
from delivery.feedback.fields import BOUNDED, parse_fields, value_of
from delivery.feedback.kinds import Feedback, delivery_of_message_id
from delivery.feedback.status_report import read_status_report
from notifications import ids

LIMIT_BYTES: Final = 512 * 1024
_MOST_LINES: Final = 20_000
_MOST_MULTIPARTS: Final = 8
_MOST_REPORTS: Final = 40
_HEAD_CHARACTERS: Final = 64 * 1024
# Mails inside mails become plain parts, so that the parser does not descend into them.
_NESTED: Final = re.compile(rb"(?im)^(content-type:[ \t]*(?:\r?\n[ \t]+)?)message/")
_MULTIPART: Final = re.compile(rb"(?im)^content-type:\s*multipart/")
_STATUS: Final = ("text/x-message-delivery-status", "text/x-message-global-delivery-status")
_COMPLAINT: Final = "text/x-message-feedback-report"
_RETURNED: Final = (
    "text/x-message-rfc822",
    "text/rfc822-headers",
    "text/x-message-global",
    "text/x-message-global-headers",
)
# What the standard library's parser raises on input it did not foresee.
_UNREADABLE: Final = (ValueError, LookupError, AttributeError, TypeError, RecursionError, AssertionError)


def read_report(mail: bytes) -> list[Feedback]:
    """What the mail reports about deliveries of ours; empty for everything else."""
    try:
        return _read(b"".join(mail[:LIMIT_BYTES].splitlines(keepends=True)[:_MOST_LINES]))
    except _UNREADABLE:
        return []


def _read(mail: bytes) -> list[Feedback]:
    if len(_MULTIPART.findall(mail)) > _MOST_MULTIPARTS:
        return []
    message = BytesParser(policy=BOUNDED).parsebytes(_NESTED.sub(rb"\1text/x-message-", mail))
    parts = [(part.get_content_type(), part) for part in message.walk() if not part.is_multipart()]
    reports = [(kind, part) for kind, part in parts if kind in _STATUS or kind == _COMPLAINT]
    delivery_id = _delivery_of(message, [part for kind, part in parts if kind in _RETURNED]) if reports else None
    if delivery_id is None:
        return []
    return list(_feedback(reports, delivery_id, _report_id(message, mail)))


def _feedback(reports: list[tuple[str, "Message[str, str]"]], delivery_id: UUID, report_id: str) -> Iterator[Feedback]:
    for kind, part in reports[:_MOST_REPORTS]:
        if kind == _COMPLAINT:
            yield from read_complaint_report(_text(part), delivery_id=delivery_id, report_id=report_id)
        else:
            yield from read_status_report(_text(part), delivery_id=delivery_id, report_id=report_id)


def _delivery_of(message: "Message[str, str]", returned: list["Message[str, str]"]) -> UUID | None:
    for part in returned:
        head = parse_fields(_text(part)[:_HEAD_CHARACTERS])
        named = ids.decode("dlv", value_of(head, "X-Carillon-Delivery"))
        if found := named or delivery_of_message_id(value_of(head, "Message-ID")):
            return found
    answered = (delivery_of_message_id(value_of(message, name)) for name in ("In-Reply-To", "References"))
    return next((found for found in answered if found), None)


def _text(part: "Message[str, str]") -> str:
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _report_id(message: "Message[str, str]", mail: bytes) -> str:
    """The same for the same report, however often and by whatever way it arrives."""
    named = value_of(message, "Message-ID")
    return hashlib.sha256(named.encode("utf-8", "replace") if named else mail).hexdigest()

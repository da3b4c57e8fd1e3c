"""Delivery status notifications (RFC 3464, in UTF-8 RFC 6533): the recipients' fields as feedback. Pure.

Final-Recipient: rfc822; ada@example.net          Action: failed | delayed | delivered | relayed | expanded
Original-Recipient: rfc822; ada@example.com       Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown     Last-Attempt-Date: ...
"""

import hashlib
import re
from collections.abc import Iterator
from email.message import Message
from typing import Final
from uuid import UUID

from delivery.feedback.fields import parse_blocks, parse_date, value_of
from delivery.feedback.kinds import Feedback, Kind, is_status
from delivery.transports.answers import clean_text

SOURCE: Final = "dsn"
_MOST_RECIPIENTS: Final = 50
_ACTIONS: Final = {
    "failed": (Kind.BOUNCE, "45"),
    "delayed": (Kind.DEFERRED, "4"),
    "delivered": (Kind.DELIVERED, "2"),
    "relayed": (Kind.RELAYED, "2"),
    "expanded": (Kind.RELAYED, "2"),
}
_ENHANCED: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_UNITEXT: Final = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")


def read_status_report(text: str, *, delivery_id: UUID, report_id: str) -> list[Feedback]:
    """Everything a `message/delivery-status` says; fields that contradict each other are passed over, not guessed at."""
    return [
        item
        for block in parse_blocks(text)[: _MOST_RECIPIENTS + 1]
        for item in _read_recipient(block, delivery_id, report_id)
    ]


def _read_recipient(block: "Message[str, str]", delivery_id: UUID, report_id: str) -> Iterator[Feedback]:
    action = value_of(block, "Action").split(" ")[0].lower()
    if action not in _ACTIONS:
        return
    kind, classes = _ACTIONS[action]
    diagnostic = _after_type(value_of(block, "Diagnostic-Code"))
    status = _status(value_of(block, "Status"), diagnostic)
    if status and status[0] not in classes:
        return
    final = value_of(block, "Final-Recipient")
    seed = f"{report_id}|{action}|{status}|{final}"
    yield Feedback(
        kind=kind,
        delivery_id=delivery_id,
        source=SOURCE,
        event_id=f"{SOURCE}:{hashlib.sha256(seed.encode('utf-8', 'replace')).hexdigest()}",
        address=_address(value_of(block, "Original-Recipient")) or _address(final),
        status=status,
        detail=clean_text(diagnostic, limit_bytes=500),
        occurred_at=parse_date(value_of(block, "Last-Attempt-Date")),
    )


def _status(given: str, diagnostic: str) -> str:
    """The enhanced code; where the field says nothing (x.0.0, as Exim), that of the reply it quotes."""
    found = _ENHANCED.search(given)
    status = found[1] if found else ""
    if not status or status.endswith(".0.0"):
        quoted = _ENHANCED.search(diagnostic)
        if quoted and (not status or quoted[1][0] == status[0]):
            return quoted[1]
    return status if is_status(status) else ""


def _address(field: str) -> str | None:
    kind, _, value = field.partition(";")
    value = value.strip()
    if kind.strip().lower() == "utf-8":
        value = _UNITEXT.sub(_character, value)
    return clean_text(value, limit_bytes=320).strip("<>") or None


def _character(found: "re.Match[str]") -> str:
    point = int(found[1], 16)
    return chr(point) if point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF else ""


def _after_type(field: str) -> str:
    kind, semicolon, text = field.partition(";")
    return (text if semicolon and " " not in kind.strip() else field).strip()

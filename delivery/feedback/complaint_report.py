"""Complaints by the abuse reporting format (RFC 5965): a recipient pressed "spam". Pure.

`abuse`, `fraud`, `virus` and `other` are complaints, `opt-out` asks for no more mail; `not-spam` and `auth-failure`
(a failed DMARC check, RFC 6591) say nothing against the recipient's wish and are passed over.
"""

from typing import Final
from uuid import UUID

from delivery.feedback.fields import parse_blocks, parse_date, value_of
from delivery.feedback.kinds import Feedback, Kind
from delivery.transports.answers import clean_text

SOURCE: Final = "feedback_report"
_KINDS: Final = {
    "abuse": Kind.COMPLAINT,
    "fraud": Kind.COMPLAINT,
    "virus": Kind.COMPLAINT,
    "other": Kind.COMPLAINT,
    "opt-out": Kind.UNSUBSCRIBE,
    "opt-out-list": Kind.UNSUBSCRIBE,
}


def read_complaint_report(text: str, *, delivery_id: UUID, report_id: str) -> list[Feedback]:
    """The one complaint of a `message/feedback-report`, or nothing."""
    blocks = parse_blocks(text)
    if not blocks:
        return []
    kind = _KINDS.get(value_of(blocks[0], "Feedback-Type").lower())
    if kind is None:
        return []
    address = value_of(blocks[0], "Original-Rcpt-To").strip("<>")
    return [
        Feedback(
            kind=kind,
            delivery_id=delivery_id,
            source=SOURCE,
            event_id=f"{SOURCE}:{report_id}",
            address=clean_text(address, limit_bytes=320) or None,
            detail=clean_text(value_of(blocks[0], "User-Agent"), limit_bytes=200),
            occurred_at=parse_date(value_of(blocks[0], "Arrival-Date") or value_of(blocks[0], "Received-Date")),
        )
    ]

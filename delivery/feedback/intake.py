"""A mail that came to the bounce address: read, and everything that follows from it committed."""

import structlog

from delivery import metrics
from delivery.feedback.effects import Applied, apply_feedback
from delivery.feedback.reports import read_report

log = structlog.get_logger(__name__)


def take_mail(mail: bytes) -> bool:
    """Whether it is a report. Returns when what the mail says is in the database; a mail that says nothing is counted."""
    feedback = read_report(mail)
    if not feedback:
        metrics.UNREADABLE.inc()
        log.info("bounce_mail_without_report")
        return False
    applied: Applied = apply_feedback(feedback)
    log.info("bounce_mail_taken", recorded=applied.recorded, repeated=applied.repeated, ignored=applied.ignored)
    return True

"""The periodic look into the bounce mailbox, claimed in the database so that two pollers do not read side by side."""

from typing import Any, Final

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now
from psycopg_pool import PoolTimeout

from delivery.feedback.conf import ImapMailbox, conf
from delivery.feedback.imap import FAILURES, read_mailbox
from delivery.feedback.intake import take_mail
from delivery.feedback.reports import LIMIT_BYTES
from delivery.models import BounceMailbox
from notifications import ids

log = structlog.get_logger(__name__)

_LEASE_SECONDS: Final = 120
_CLAIM: Final = """
    INSERT INTO delivery_bouncemailbox AS mine (mailbox, lease_token, leased_until)
    VALUES (%(mailbox)s, %(token)s, now() + make_interval(secs => %(lease)s))
    ON CONFLICT (mailbox) DO UPDATE SET lease_token = excluded.lease_token, leased_until = excluded.leased_until
     WHERE mine.leased_until IS NULL OR mine.leased_until <= now()
    RETURNING lease_token"""


def poll_configured() -> int | None:
    """Read the mailbox of the settings; None when there is none, or somebody else is reading it."""
    mailbox = conf().mailbox
    return poll(mailbox) if mailbox is not None else None


def poll(mailbox: ImapMailbox) -> int | None:
    """One look: how many mails were taken. A mailbox that cannot be read is logged and stands in its row, in the admin."""
    token = ids.new_uuid()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"mailbox": mailbox.name, "token": token, "lease": _LEASE_SECONDS})
        if cursor.fetchone() is None:
            return None
    mine = BounceMailbox.objects.filter(mailbox=mailbox.name, lease_token=token)
    told: dict[str, Any] = {}
    try:
        count = read_mailbox(mailbox, _take, limit_bytes=LIMIT_BYTES)
        told = {"last_error": "", "polled_at": Now()}
    except FAILURES as error:
        log.warning("bounce_mailbox_unreadable", host=mailbox.host, error=type(error).__name__)
        told = {"last_error": f"{type(error).__name__}: {error}"[:200]}
        return 0
    finally:
        mine.update(leased_until=None, lease_token=None, **told)
    return count


def _take(mail: bytes) -> bool:
    """Whether it could be dealt with: one that cannot is left flagged for a person and blocks no others."""
    try:
        take_mail(mail)
    except (OperationalError, InterfaceError, PoolTimeout):
        raise  # the database is away: the mail waits
    except Exception:
        log.exception("bounce_mail_failed")
        return False
    return True

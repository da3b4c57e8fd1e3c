"""The periodic inspection: are the laws kept by what was made lately? Its findings are what `/metrics` and the admin show."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models.functions import Now

from delivery.laws import BROKEN, LAWS, SUMS, Broken, read_broken
from delivery.models import LawCheck
from delivery.selectors import first_id_at
from notifications.clock import utc_now

log = structlog.get_logger(__name__)

RECENT: Final = timedelta(hours=1)
_LIMIT: Final = "20s"


def inspect_recent() -> list[Broken]:
    """Look at the rows of the last hour, write down what was found, say what is broken."""
    broken = find_broken(first_id_at(utc_now() - RECENT), limit=_LIMIT)
    found = {each.law.code: each for each in broken}
    rows = [
        LawCheck(
            law=law.code,
            broken=found[law.code].count if law.code in found else 0,
            examples=found[law.code].examples if law.code in found else [],
            checked_at=Now(),
        )
        for law in LAWS
    ]
    LawCheck.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["law"], update_fields=["broken", "examples", "checked_at"]
    )
    for each in broken:
        log.error("law_broken", law=each.law.code, count=each.count, examples=each.examples)
    return broken


def find_broken(since: UUID, *, limit: str) -> list[Broken]:
    """The laws that rows made since then break. Raises `OperationalError` when that takes longer than `limit`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [limit])
        cursor.execute(BROKEN, {"since": since})
        return read_broken(cursor.fetchall())


def read_sums(since: UUID, *, limit: str) -> tuple[int, int, int, int]:
    """Notifications, of them open, deliveries, of them open. Raises as `find_broken` does."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [limit])
        cursor.execute(SUMS, {"since": since})
        notifications, unrouted, deliveries, open_ = cursor.fetchone()
        return notifications, unrouted, deliveries, open_

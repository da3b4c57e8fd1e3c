"""Gives inboxes a new history: for when what clients remember may never have happened, as after a restore."""

from typing import Final
from uuid import UUID

from django.db import connection, transaction

_BATCH: Final = 5000
# Offsets go on where they are; clients compare the epoch first, and load anew.
_RENEW: Final = """
    WITH picked AS (
        SELECT recipient_id FROM notifications_inbox i
        WHERE recipient_id > %(after)s AND (%(project)s::uuid IS NULL OR EXISTS (
            SELECT FROM notifications_recipient r WHERE r.id = i.recipient_id AND r.project_id = %(project)s))
        ORDER BY recipient_id LIMIT %(limit)s FOR UPDATE
    ), renewed AS (
        UPDATE notifications_inbox i SET epoch = gen_random_uuid() FROM picked WHERE i.recipient_id = picked.recipient_id
        RETURNING i.recipient_id
    )
    SELECT count(*), (array_agg(recipient_id ORDER BY recipient_id DESC))[1] FROM renewed"""


def renew_epochs(*, project_id: UUID | None = None) -> int:
    """Change the epoch of every inbox (of one project); how many. Own transactions, by batches; can be repeated."""
    total, after = 0, UUID(int=0)
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_RENEW, {"after": after, "project": project_id, "limit": _BATCH})
            count, last = cursor.fetchone() or (0, after)
        total += count
        if count < _BATCH:
            return total
        after = last

"""When recipients were last connected, kept in PostgreSQL: what is left to say when Redis knows nothing."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from notifications.inbox.reads import Connection

# Rows are locked in the order in which everybody locks several inboxes.
_RECORD: Final = """
    WITH seen AS (
        SELECT i.recipient_id, now() - make_interval(secs => told.ago) AS at
        FROM unnest(%s::uuid[], %s::float8[]) AS told (recipient_id, ago) JOIN notifications_inbox i USING (recipient_id)
        ORDER BY i.recipient_id FOR NO KEY UPDATE OF i
    )
    UPDATE notifications_inbox i SET last_seen_at = greatest(i.last_seen_at, seen.at)
    FROM seen WHERE i.recipient_id = seen.recipient_id"""


async def record_last_seen(conn: Connection, ago: Mapping[UUID, float]) -> None:
    """Each recipient was connected so many seconds ago; who is erased by now is passed by."""
    await conn.execute(_RECORD, [list(ago), list(ago.values())])

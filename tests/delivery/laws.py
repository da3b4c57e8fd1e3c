"""What is true in the database at any instant, whatever is killed: each law is a query for what breaks it."""

from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

LAWS: Final = {
    "a notification has a time to be looked at exactly while it is open": """
        SELECT id::text FROM notifications_notification WHERE (status = 'accepted') <> (available_at IS NOT NULL)""",
    "a delivery is open with a time, or finished with an end and a reason": """
        SELECT id::text FROM delivery_delivery WHERE NOT CASE WHEN state IN ('scheduled', 'queued', 'sending', 'retrying')
            THEN available_at IS NOT NULL AND finished_at IS NULL
            ELSE available_at IS NULL AND finished_at IS NOT NULL AND reason <> '' END""",
    "a delivery carries a lease exactly while it is being sent": """
        SELECT id::text FROM delivery_delivery WHERE (state = 'sending') <> (lease_token IS NOT NULL)""",
    "attempts are counted": """
        SELECT d.id::text FROM delivery_delivery d
         WHERE attempt_count <> (SELECT count(*) FROM delivery_attempt a WHERE a.delivery_id = d.id)""",
    "a delivered in-app delivery has exactly one message": """
        SELECT d.id::text FROM delivery_delivery d WHERE d.channel = 'in_app' AND d.state = 'delivered'
           AND 1 <> (SELECT count(*) FROM notifications_inboxmessage m WHERE m.delivery_id = d.id)""",
    "a message has its delivered delivery": """
        SELECT m.id::text FROM notifications_inboxmessage m
          LEFT JOIN delivery_delivery d ON d.id = m.delivery_id AND d.state = 'delivered' WHERE d.id IS NULL""",
    "an inbox's log has no gap and ends at its head": """
        SELECT i.recipient_id::text FROM notifications_inbox i
          JOIN notifications_inboxevent e USING (recipient_id)
         GROUP BY i.recipient_id HAVING count(*) <> i."offset" OR max(e."offset") <> i."offset" OR min(e."offset") <> 1""",
    "an inbox's counts are those of its messages": """
        SELECT i.recipient_id::text FROM notifications_inbox i WHERE ARRAY[i.unread, i.unseen] <> (
            SELECT ARRAY[count(*) FILTER (WHERE read_at IS NULL), count(*) FILTER (WHERE seen_at IS NULL)]::int[]
              FROM notifications_inboxmessage m WHERE m.recipient_id = i.recipient_id AND m.archived_at IS NULL)""",
}
# One statement sees one snapshot, so the laws can be asked while everything is at work.
_ALL: Final = " UNION ALL ".join(
    f"(SELECT '{law.replace(chr(39), chr(39) * 2)}', * FROM ({sql}) AS broken)" for law, sql in LAWS.items()
)


async def assert_lawful(connection: AsyncConnection[Any]) -> None:
    """Fail with the laws that are broken and the rows that break them."""
    assert await (await connection.execute(_ALL)).fetchall() == []


def assert_lawful_now(connection: psycopg.Connection[Any]) -> None:
    """The same for synchronous tests."""
    assert connection.execute(_ALL).fetchall() == []

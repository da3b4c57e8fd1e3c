"""What is true in the database at any instant, whatever is killed: each law is a query for the rows that break it.

Together they are the conservation law: whatever was accepted is in exactly one state, whatever is open has a time at which it
will be looked at again, whatever ended says when and why, and nothing is in an inbox twice or without its delivery.
One statement sees one snapshot, so the laws can be asked while everything is at work.

`%(since)s` bounds a look to rows made since then (ids grow with time); the smallest UUID means all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from delivery.states import OPEN, State

SINCE_EVER: Final = UUID(int=0)
_EXAMPLES: Final = 5


def _texts(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


@dataclass(frozen=True, slots=True)
class Law:
    """`code` names it in metrics; `says` is for people; `breaking` selects the ids of rows that break it."""

    code: str
    says: str
    breaking: str


LAWS: Final = (
    Law(
        "notification_open_is_scheduled",
        "a notification has a time to be looked at exactly while it is open",
        """SELECT id::text FROM notifications_notification
            WHERE (status = 'accepted') <> (available_at IS NOT NULL) AND id >= %(since)s""",
    ),
    Law(
        "accepted_is_sum_of_states",
        "whatever was accepted is in one of the contract's states",
        f"""SELECT id::text FROM notifications_notification
             WHERE status NOT IN ('accepted', 'routed', 'cancelled', 'expired', 'failed') AND id >= %(since)s
            UNION ALL
            SELECT id::text FROM delivery_delivery WHERE state NOT IN ({_texts(State)}) AND id >= %(since)s""",  # noqa: S608 - composed of our own text
    ),
    Law(
        "routed_reaches_everybody",
        "a routed notification has a delivery on every channel for everybody it names",
        """SELECT n.id::text FROM notifications_notification n
            CROSS JOIN jsonb_array_elements(n.recipients) AS entry (said)
            CROSS JOIN unnest(n.channels) AS wanted (channel)
             JOIN notifications_recipient r ON r.project_id = n.project_id AND r.external_id = entry.said #>> '{}'
            WHERE n.status = 'routed' AND n.workflow_version_id IS NULL AND n.id >= %(since)s AND jsonb_typeof(entry.said) = 'string'
              -- Who was erased meanwhile and then made anew was somebody else.
              AND r.created_at <= n.routed_at
              AND NOT EXISTS (SELECT FROM delivery_delivery d WHERE d.notification_id = n.id AND d.recipient_id = r.id
                                                                AND d.channel = wanted.channel)""",
    ),
    Law(
        "workflow_reaches_everybody",
        "a routed notification of a workflow has a walk, a delivery or a place in a digest for everybody it names",
        """SELECT n.id::text FROM notifications_notification n
            CROSS JOIN jsonb_array_elements(n.recipients) AS entry (said)
             JOIN notifications_recipient r ON r.project_id = n.project_id AND r.external_id = entry.said #>> '{}'
            WHERE n.status = 'routed' AND n.workflow_version_id IS NOT NULL AND n.id >= %(since)s
              AND jsonb_typeof(entry.said) = 'string' AND r.created_at <= n.routed_at
              AND NOT EXISTS (SELECT FROM delivery_delivery d WHERE d.notification_id = n.id AND d.recipient_id = r.id)
              AND NOT EXISTS (SELECT FROM delivery_run u WHERE u.notification_id = n.id AND u.recipient_id = r.id)
              AND NOT EXISTS (SELECT FROM schedules_digestitem i WHERE i.notification_id = n.id AND i.recipient_id = r.id)""",
    ),
    Law(
        "run_waits_for_its_time",
        "a walk has a time to go on exactly while it waits",
        """SELECT id::text FROM delivery_run WHERE (state = 'waiting') <> (available_at IS NOT NULL) AND id >= %(since)s""",
    ),
    Law(
        "digest_is_carried",
        "a digest that is not closed has a walk that will close it",
        """SELECT d.id::text FROM schedules_digest d WHERE d.closed_at IS NULL AND d.id >= %(since)s
              AND EXISTS (SELECT FROM notifications_recipient r WHERE r.id = d.recipient_id)
              AND NOT EXISTS (SELECT FROM delivery_run u WHERE u.digest_id = d.id AND u.state = 'waiting')""",
    ),
    Law(
        "digest_counts",
        "a digest's count is that of its items",
        """SELECT d.id::text FROM schedules_digest d WHERE d.id >= %(since)s AND d.count <> (
               SELECT count(*) FROM schedules_digestitem i WHERE i.digest_id = d.id AND i.removed_at IS NULL)""",
    ),
    Law(
        "digest_goes_out_once",
        "of the deliveries of one digest on one channel at one step, one at most speaks for it",
        f"""SELECT d.digest_id::text FROM delivery_delivery d
             WHERE d.digest_id IS NOT NULL AND d.state IN ({_texts(OPEN | {State.SENT, State.DELIVERED})}) AND d.id >= %(since)s
             GROUP BY d.digest_id, d.channel, d.endpoint_id, d.step, d.recipient_id HAVING count(*) > 1""",  # noqa: S608 - composed of our own text
    ),
    Law(
        "delivery_open_or_finished",
        "a delivery is open with a time, or finished with an end and a reason",
        f"""SELECT id::text FROM delivery_delivery WHERE id >= %(since)s AND NOT CASE WHEN state IN ({_texts(OPEN)})
              THEN available_at IS NOT NULL AND finished_at IS NULL
              ELSE available_at IS NULL AND finished_at IS NOT NULL AND reason <> '' END""",  # noqa: S608 - composed of our own text
    ),
    Law(
        "lease_while_sending",
        "a delivery carries a lease exactly while it is being sent",
        """SELECT id::text FROM delivery_delivery
            WHERE (state = 'sending') <> (lease_token IS NOT NULL) AND id >= %(since)s""",
    ),
    Law(
        "attempts_are_counted",
        "a delivery's count of attempts is that of its attempts",
        """SELECT d.id::text FROM delivery_delivery d WHERE d.id >= %(since)s
              AND attempt_count <> (SELECT count(*) FROM delivery_attempt a WHERE a.delivery_id = d.id)""",
    ),
    Law(
        "in_app_delivered_once",
        "a delivered in-app delivery has exactly one message, unless the inbox has begun to forget",
        """SELECT d.id::text FROM delivery_delivery d
            WHERE d.channel = 'in_app' AND d.state = 'delivered' AND d.id >= %(since)s
              AND 1 <> (SELECT count(*) FROM notifications_inboxmessage m WHERE m.delivery_id = d.id)
              AND NOT EXISTS (SELECT FROM notifications_inbox i WHERE i.recipient_id = d.recipient_id AND i.kept_from > 1)""",
    ),
    Law(
        "message_of_a_delivery",
        "a message has its delivered delivery",
        """SELECT m.id::text FROM notifications_inboxmessage m
             LEFT JOIN delivery_delivery d ON d.id = m.delivery_id AND d.state = 'delivered'
            WHERE d.id IS NULL AND m.id >= %(since)s""",
    ),
    Law(
        "inbox_without_gaps",
        "an inbox's log has no gap, begins where it says and ends at its head",
        """SELECT i.recipient_id::text FROM notifications_inbox i JOIN notifications_inboxevent e USING (recipient_id)
            WHERE i.recipient_id IN (SELECT recipient_id FROM notifications_inboxmessage WHERE id >= %(since)s)
            GROUP BY i.recipient_id
           HAVING count(*) <> i."offset" - i.kept_from + 1 OR max(e."offset") <> i."offset" OR min(e."offset") <> i.kept_from""",
    ),
    Law(
        "inbox_counts",
        "an inbox's counts are those of its messages",
        """SELECT i.recipient_id::text FROM notifications_inbox i
            WHERE i.recipient_id IN (SELECT recipient_id FROM notifications_inboxmessage WHERE id >= %(since)s)
              AND ARRAY[i.unread, i.unseen] <> (
               SELECT ARRAY[count(*) FILTER (WHERE read_at IS NULL), count(*) FILTER (WHERE seen_at IS NULL)]::int[]
                 FROM notifications_inboxmessage m WHERE m.recipient_id = i.recipient_id AND m.archived_at IS NULL AND m.gone_at IS NULL)""",
    ),
)

BROKEN: Final = " UNION ALL ".join(
    f"(SELECT '{law.code}', count(*), (array_agg(id))[1:{_EXAMPLES}] FROM ({law.breaking}) AS broken (id) HAVING count(*) > 0)"  # noqa: S608 - composed of our own text
    for law in LAWS
)
"""All laws in one statement, with `%(since)s`: a row `(code, how many rows break it, some of their ids)` per broken law."""

SUMS: Final = f"""
    SELECT (SELECT count(*) FROM notifications_notification WHERE id >= %(since)s),
           (SELECT count(*) FROM notifications_notification WHERE id >= %(since)s AND status = 'accepted'),
           (SELECT count(*) FROM delivery_delivery WHERE id >= %(since)s),
           (SELECT count(*) FROM delivery_delivery WHERE id >= %(since)s AND state IN ({_texts(OPEN)}))"""  # noqa: S608 - composed of our own text
"""`(notifications, of them open, deliveries, of them open)`, of one instant."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One law that does not hold, by how many rows, and a few of them."""

    law: Law
    count: int
    examples: list[str]


def read_broken(rows: Iterable[tuple[Any, ...]]) -> list[Broken]:
    """The rows of `BROKEN`."""
    laws = {law.code: law for law in LAWS}
    return [Broken(laws[code], count, list(examples)) for code, count, examples in rows]

"""Where walks begin: a routed notification of a workflow, one walk for each of its recipients, a whole chunk together."""

from collections.abc import Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.routing import Target
from delivery.rules import read_rules
from delivery.runs import rows
from delivery.runs.advancing import advance
from delivery.runs.saying import say
from delivery.runs.walker import Walker

Connection = AsyncConnection[TupleRow]

# Every walk leaves one of these.
_BEGUN: Final = """
    SELECT asked.* FROM unnest(%s::uuid[], %s::uuid[]) AS asked (notification_id, recipient_id)
     WHERE EXISTS (SELECT FROM delivery_run WHERE (notification_id, recipient_id) = (asked.notification_id, asked.recipient_id))
        OR EXISTS (SELECT FROM delivery_delivery WHERE (notification_id, recipient_id) = (asked.notification_id, asked.recipient_id))
        OR EXISTS (SELECT FROM schedules_digestitem
                    WHERE (notification_id, recipient_id) = (asked.notification_id, asked.recipient_id))"""


class Routed(Protocol):
    """A notification that routing holds."""

    @property
    def id(self) -> UUID: ...
    @property
    def project_id(self) -> UUID: ...
    @property
    def version_id(self) -> UUID | None: ...
    @property
    def recipients(self) -> list[Any]: ...


async def begin(connection: Connection, pairs: Sequence[tuple[Routed, Target]]) -> set[str]:
    """Walk for each recipient as far as there is nothing to wait for; which channels got work. Nobody walks twice for one
    notification, by however many of its entries he is reached."""
    begun = await _begun(connection, [(item, target) for item, target in pairs if _has_topic_and_more(item)])
    pairs = [(item, target) for item, target in pairs if (item.id, target.recipient_id) not in begun]
    if not pairs:
        return set()
    versions = await rows.versions_of(connection, (item.version_id for item, _ in pairs if item.version_id is not None))
    events = await rows.events_of(connection, (item.id for item, _ in pairs))
    rules = await read_rules(connection, {item.project_id for item, _ in pairs})
    now = rules[pairs[0][0].project_id].now
    walkers = [
        Walker(
            run_id=None,
            project_id=item.project_id,
            stored=False,
            version=versions[item.version_id],
            target=target,
            events=[events[item.id]],
            opener_id=item.id,
            critical=events[item.id].critical,
            expires_at=events[item.id].expires_at,
        )
        for item, target in pairs
        if item.version_id is not None
    ]
    return await say(connection, await advance(connection, walkers, rules, now), rules, now)


def _has_topic_and_more(item: Routed) -> bool:
    return len(item.recipients) > 1 and not all(isinstance(entry, str) for entry in item.recipients)


async def _begun(connection: Connection, pairs: Sequence[tuple[Routed, Target]]) -> set[tuple[UUID, UUID]]:
    """Of these, who has begun to walk before."""
    if not pairs:
        return set()
    columns = [item.id for item, _ in pairs], [target.recipient_id for _, target in pairs]
    return set(await (await connection.execute(_BEGUN, columns, prepare=True)).fetchall())

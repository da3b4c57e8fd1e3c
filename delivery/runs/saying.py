"""What walks want said becomes deliveries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.inserting import insert_deliveries, shared
from delivery.planning import Asked, plan
from delivery.routing import EMAIL
from delivery.rules import Rules
from delivery.runs.walker import Send, Walker
from delivery.suppressing import mark_targets

Connection = AsyncConnection[TupleRow]


async def say(
    connection: Connection, said: Sequence[tuple[Walker, Send]], rules: Mapping[UUID, Rules], now: datetime
) -> set[str]:
    """Make the deliveries; which channels got work. A digest's belongs to its first notification, the others share it."""
    asked = [_asked(walker, send) for walker, send in await _marked(connection, said)]
    planned = await plan(connection, asked, rules)
    others = {
        id(each): [event.id for event in walker.events[1:]]
        for each, (walker, _) in zip(asked, said, strict=True)
        if len(walker.events) > 1
    }
    if others:
        planned += [more for each in planned for more in shared(each, others.get(id(each[0]), ()))]
    return await insert_deliveries(connection, planned, now)


def _asked(walker: Walker, send: Send) -> Asked:
    return Asked(
        project_id=walker.project_id,
        notification_id=walker.events[0].id,
        target=send.target,
        channels=[send.channel],
        category=walker.event.category,
        critical=walker.critical,
        expires_at=walker.expires_at,
        workflow=walker.version.key,
        policy=send.policy,
        step=send.label,
        digest_id=walker.digest_id,
    )


async def _marked(connection: Connection, said: Sequence[tuple[Walker, Send]]) -> list[tuple[Walker, Send]]:
    """The same, with the suppressions of the addresses that mail goes to."""
    mails = [(index, walker, send) for index, (walker, send) in enumerate(said) if send.channel == EMAIL]
    found = list(said)
    if mails:
        targets = await mark_targets(connection, [(walker.project_id, send.target) for _, walker, send in mails])
        for (index, walker, send), target in zip(mails, targets, strict=True):
            if target is not send.target:
                found[index] = (walker, replace(send, target=target))
    return found

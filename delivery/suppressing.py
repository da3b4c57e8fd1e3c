"""The suppression list on the way out: asked in bulk at routing and again at sending, added to when SMTP says nobody is there.

Each question is one query for a whole batch, by keyed hashes (`notifications/addresses.py`), so that people who were erased
stay suppressed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from msgspec.structs import replace
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from delivery.routing import Target, suppression_reason
from notifications import ids
from notifications.addresses import hash_email, normalise_email

Connection = AsyncConnection[Any]

_LONGEST_DETAIL: Final = 500

# In binary form (%b): quoting a hash as text cost a fifth of a worker's time per mail.
_OF_ADDRESSES: Final = """
    SELECT s.project_id, s.address_hash, s.reason
      FROM (SELECT DISTINCT project_id, address_hash FROM unnest(%b::uuid[], %b::bytea[]) AS g (project_id, address_hash)) AS asked
      JOIN notifications_suppression s USING (address_hash, project_id)
     WHERE s.channel = 'email' AND (s.expires_at IS NULL OR s.expires_at > now())"""
_OF_DELIVERIES: Final = """
    SELECT d.id, s.reason
      FROM unnest(%b::uuid[], %b::bytea[]) AS asked (id, address_hash)
      JOIN notifications_suppression s USING (address_hash)
      JOIN delivery_delivery d ON d.id = asked.id AND d.project_id = s.project_id
     WHERE s.channel = 'email' AND (s.expires_at IS NULL OR s.expires_at > now())
       AND NOT (d.critical AND s.reason = 'unsubscribe')"""
# The lock waits for whoever is erasing this very person; then there is no delivery, and nothing is kept.
_ADD: Final = """
    WITH held AS (
        SELECT g.*, d.project_id, d.channel
          FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bytea[], %s::text[]) AS g (id, delivery_id, address, address_hash, detail)
          JOIN delivery_delivery d ON d.id = g.delivery_id
           FOR KEY SHARE OF d)
    INSERT INTO notifications_suppression (id, project_id, channel, address, address_hash, reason, detail, source_delivery_id)
    SELECT DISTINCT ON (address_hash, project_id) id, project_id, channel, address, address_hash, 'bounce', detail, delivery_id
      FROM held ORDER BY address_hash, project_id
    ON CONFLICT (address_hash, project_id, channel, reason) DO UPDATE
       SET address = excluded.address, detail = excluded.detail, source_delivery_id = excluded.source_delivery_id, expires_at = NULL"""


class Sendable(Protocol):
    """What sending asks about."""

    @property
    def delivery_id(self) -> UUID: ...
    @property
    def email(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """An address that a server said is nobody's, in the words of its answer."""

    delivery_id: UUID
    address: str
    detail: str


async def mark_targets(connection: Connection, targets: list[tuple[UUID, Target]]) -> list[Target]:
    """The same targets of these projects, each with the suppressions of its address. One query, none without addresses."""
    asked = [(project_id, hash_email(target.email)) for project_id, target in targets if target.email]
    if not asked:
        return [target for _, target in targets]
    cursor = await connection.execute(_OF_ADDRESSES, ([p for p, _ in asked], [h for _, h in asked]), prepare=True)
    found: dict[tuple[UUID, bytes], set[str]] = {}
    for project_id, address_hash, reason in await cursor.fetchall():
        found.setdefault((project_id, bytes(address_hash)), set()).add(reason)
    if not found:
        return [target for _, target in targets]
    return [
        replace(target, suppressions=frozenset(found.get((project_id, hash_email(target.email)), ())))
        if target.email
        else target
        for project_id, target in targets
    ]


async def withheld(connection: "AsyncConnection[TupleRow]", claims: Iterable[Sendable]) -> Mapping[UUID, str]:
    """Of deliveries that are about to be sent, those whose address has been suppressed meanwhile, with their reasons."""
    asked = [(item.delivery_id, hash_email(item.email)) for item in claims if item.email]
    if not asked:
        return {}
    cursor = await connection.execute(_OF_DELIVERIES, ([i for i, _ in asked], [h for _, h in asked]), prepare=True)
    found: dict[UUID, set[str]] = {}
    for delivery_id, reason in await cursor.fetchall():
        found.setdefault(delivery_id, set()).add(reason)
    return {delivery_id: suppression_reason(reasons, critical=False) for delivery_id, reasons in found.items()}


async def add_bounces(connection: Connection, refusals: Iterable[Refusal]) -> None:
    """Put these addresses on the list, in the transaction of the caller."""
    values = [
        (
            ids.new_uuid(),
            item.delivery_id,
            normalise_email(item.address),
            hash_email(item.address),
            item.detail[:_LONGEST_DETAIL],
        )
        for item in refusals
    ]
    if values:
        await connection.execute(_ADD, [list(column) for column in zip(*values, strict=True)], prepare=True)

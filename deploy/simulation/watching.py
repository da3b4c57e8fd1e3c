"""What cannot be read any more when it is over: until when something was to wait, noted at the moment at which it was decided."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from notifications.intake.writer import Connection

_PUT_OFF: Final = """
    SELECT id, reason, available_at FROM delivery_delivery
     WHERE available_at IS NOT NULL AND state = 'scheduled' AND created_at = now()"""
_JOINED: Final = """
    SELECT i.id, d.closes_at FROM schedules_digestitem i JOIN schedules_digest d ON d.id = i.digest_id
     WHERE d.closed_at IS NULL AND i.joined_at = now()"""


@dataclass(frozen=True, slots=True)
class Waits:
    """Why a delivery did not go out at once, and when it was to."""

    reason: str
    until: datetime


@dataclass(slots=True)
class Watch:
    """Notes of all moments so far."""

    put_off: dict[UUID, Waits] = field(default_factory=dict)
    """By delivery."""
    closing: dict[UUID, datetime] = field(default_factory=dict)
    """By item: when its digest was to close as it joined."""
    labels: dict[UUID, str] = field(default_factory=dict)
    """By notification: what the scenario calls it."""

    async def look(self, connection: Connection) -> None:
        """Note what was decided at this moment."""
        for delivery_id, reason, until in await (await connection.execute(_PUT_OFF, prepare=True)).fetchall():
            self.put_off.setdefault(delivery_id, Waits(reason, until))
        for item_id, closes_at in await (await connection.execute(_JOINED, prepare=True)).fetchall():
            self.closing.setdefault(item_id, closes_at)

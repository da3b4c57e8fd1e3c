"""The sockets of one recipient in this process."""

import asyncio
from uuid import UUID

from consumers.connection import Connection, Ready


class Room:
    """Made with a recipient's first socket; the hub takes it away some time after the last has gone."""

    __slots__ = ("connections", "joining", "recipient_pk")

    def __init__(self, recipient_pk: UUID) -> None:
        self.recipient_pk = recipient_pk
        self.connections: list[Connection] = []
        self.joining: asyncio.Future[None] | None = None

    def is_joined(self, _: object) -> None:
        """The layer was told."""
        self.joining = None

    @property
    def devices(self) -> int:
        """How many of the sockets are live."""
        return sum(each.is_live for each in self.connections)

    def offer(self, epoch: str, offset: int, text: bytes, ready: list[Ready]) -> bool:
        """Offer a live event to every socket; False when it tells of another epoch than a socket knows."""
        agree = True
        for connection in self.connections:
            if connection.epoch is None or connection.epoch == epoch:
                connection.offer(offset, text, ready)
            else:
                agree = False
        return agree

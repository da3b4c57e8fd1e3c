"""Transports that only remember: the real ones put it into the channel's form, and nothing is ever connected to."""

from dataclasses import dataclass
from typing import Any

from delivery.transports.base import Outbound, Receipt, Transport


@dataclass(frozen=True, slots=True)
class Said:
    """What one attempt would have sent."""

    title: str
    address: str


class Recording:
    """In the place of a channel's transport. What it cannot say in the channel's form fails as it would."""

    def __init__(self, real: Transport[Any], said: dict[str, Said]) -> None:
        self.channel = real.channel
        self.attempt_timeout_seconds = real.attempt_timeout_seconds
        self.max_in_flight = real.max_in_flight
        self._real = real
        self._said = said

    def render(self, outbound: Outbound) -> Outbound:
        self._real.render(outbound)
        return outbound

    async def send(self, payload: Outbound) -> Receipt:
        self._said[payload.delivery_id] = Said(payload.content.title, payload.address)
        return Receipt(response={"simulated": True})

    async def aclose(self) -> None:
        await self._real.aclose()


class NobodyOnline:
    """In the place of the channel layer: no recipient is connected, and nobody is asked."""

    def by_client(self, keys: Any) -> dict[Any, Any]:
        return {}

"""Transports that only remember: the real ones put it into the channel's form, and nothing is ever connected to."""

from dataclasses import dataclass
from typing import Any, ClassVar

from delivery.transports.base import Outbound, Receipt, Transport


@dataclass(frozen=True, slots=True)
class Said:
    """What one attempt would have sent."""

    title: str
    address: str


def recording(real: Transport[Any], said: dict[str, Said]) -> Transport[Outbound]:
    """A transport in the place of `real`: what cannot be said in the channel's form fails as it would there, all else is noted in
    `said` by the delivery's public id."""

    class Recording:
        channel: ClassVar[str] = real.channel

        def __init__(self) -> None:
            self.attempt_timeout_seconds = real.attempt_timeout_seconds
            self.max_in_flight = real.max_in_flight

        def render(self, outbound: Outbound) -> Outbound:
            real.render(outbound)
            return outbound

        async def send(self, payload: Outbound) -> Receipt:
            said[payload.delivery_id] = Said(payload.content.title, payload.address)
            return Receipt(response={"simulated": True})

        async def aclose(self) -> None:
            await real.aclose()

    return Recording()


class NobodyOnline:
    """In the place of the channel layer: no recipient is connected, and nobody is asked."""

    def by_client(self, keys: Any) -> dict[Any, Any]:
        return {}

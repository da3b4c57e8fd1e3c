"""By which ways a recipient is reached: the decision, without I/O.

Used by the routing stage and by the dry run alike, so that what is shown is what happens.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from notifications import event_types

IN_APP: Final = "in_app"
EMAIL: Final = "email"
UNSUBSCRIBED: Final = "unsubscribed"
FILTERED: Final = "event_filtered"
"""Reason of the one delivery that is recorded, as suppressed, where a recipient has endpoints but none wants the event."""


@dataclass(frozen=True, slots=True)
class Address:
    """One endpoint of a recipient, as routing needs it."""

    endpoint_id: UUID
    url: str = ""
    event_types: Sequence[str] = ()
    """Filters; none means everything."""


@dataclass(frozen=True, slots=True)
class Target:
    """A recipient with everything by which it can be reached: enabled endpoints by channel."""

    recipient_id: UUID
    external_id: str
    email: str | None
    endpoints: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    unwanted: frozenset[str] = frozenset()
    """What the recipient unsubscribed from: channel and category with a space between, which neither can hold."""


@dataclass(frozen=True, slots=True)
class Way:
    """One delivery to be made; with a `reason` it does not go out, and is recorded as suppressed or failed for that."""

    channel: str
    endpoint_id: UUID | None = None
    address: str | None = None
    reason: str = ""


def plan_ways(
    channels: Iterable[str],
    target: Target,
    *,
    category: str | None = None,
    critical: bool = False,
    event_type: str = event_types.DEFAULT,
) -> list[Way]:
    """Every delivery that these channels mean for this recipient; at least one per channel."""
    refusable = None if critical else category
    return [way for channel in channels for way in _plan_channel(channel, target, refusable, event_type)]


def _plan_channel(channel: str, target: Target, category: str | None, event_type: str) -> list[Way]:
    if category and target.unwanted and f"{channel} {category}" in target.unwanted:
        return [Way(channel, address=target.email if channel == EMAIL else None, reason=UNSUBSCRIBED)]
    if channel == IN_APP:
        return [Way(channel)]
    if channel == EMAIL:
        return [Way(channel, address=target.email, reason="" if target.email else "no_email")]
    addresses = target.endpoints.get(channel, ())
    if not addresses:
        return [Way(channel, reason="no_endpoint")]
    wanting = [address for address in addresses if event_types.is_wanted(event_type, address.event_types)]
    if not wanting:
        return [Way(channel, reason=FILTERED)]
    return [Way(channel, endpoint_id=address.endpoint_id, address=address.url) for address in wanting]

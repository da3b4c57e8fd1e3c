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
SUPPRESSED: Final = "suppressed_"
_UNSUBSCRIBE: Final = "unsubscribe"
_UNWELCOME: Final = frozenset({UNSUBSCRIBED, FILTERED, "quiet_hours"})
_KINDS: Final = (SUPPRESSED, "preference_")
_STRENGTH: Final = ("bounce", "complaint", "manual", _UNSUBSCRIBE)


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
    suppressions: frozenset[str] = frozenset()
    """Why the email address must not be written to: reasons of the suppression list."""


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
    return [way for channel in channels for way in _plan_channel(channel, target, category, critical, event_type)]


def suppression_reason(reasons: Iterable[str], *, critical: bool) -> str:
    """A delivery's reason when its address is on the suppression list for these; empty when it may be sent.

    The first of a bounce, a complaint, a person's decision. `critical` passes over an unsubscription (a password's reset
    is no newsletter), never over the others.
    """
    standing = frozenset(reasons) - ({_UNSUBSCRIBE} if critical else frozenset())
    return next((SUPPRESSED + reason for reason in _STRENGTH if reason in standing), "")


def is_suppression(reason: str) -> bool:
    """Whether what is not sent for this reason is suppressed: somebody does not want it, which is no failure."""
    return reason in _UNWELCOME or reason.startswith(_KINDS)


def _plan_channel(channel: str, target: Target, category: str | None, critical: bool, event_type: str) -> list[Way]:
    if category and not critical and target.unwanted and f"{channel} {category}" in target.unwanted:
        return [Way(channel, address=target.email if channel == EMAIL else None, reason=UNSUBSCRIBED)]
    if channel == IN_APP:
        return [Way(channel)]
    if channel == EMAIL:
        reason = suppression_reason(target.suppressions, critical=critical) if target.email else "no_email"
        return [Way(channel, address=target.email, reason=reason)]
    addresses = target.endpoints.get(channel, ())
    if not addresses:
        return [Way(channel, reason="no_endpoint")]
    wanting = [address for address in addresses if event_types.is_wanted(event_type, address.event_types)]
    if not wanting:
        return [Way(channel, reason=FILTERED)]
    return [Way(channel, endpoint_id=address.endpoint_id, address=address.url) for address in wanting]

"""By which ways a recipient is reached: the decision, without I/O.

Used by the routing stage and by the dry run alike, so that what is shown is what happens.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from delivery.rules import NO_RULES, Rules
from notifications import event_types
from notifications.preferences.deciding import DEFAULT, UNSUBSCRIBED, decide
from notifications.preferences.shapes import EMPTY, Policy, Preferences
from schedules.quiet_hours import Quiet, find_quiet

IN_APP: Final = "in_app"
EMAIL: Final = "email"
WITHOUT_ENDPOINTS: Final = frozenset({IN_APP, EMAIL})
QUIET_HOURS: Final = "quiet_hours"
"""Reason of what waits for the end of its recipient's quiet hours, and of what was dropped in them because that was asked for."""
FILTERED: Final = "event_filtered"
"""Reason of the one delivery that is recorded, as suppressed, where a recipient has endpoints but none wants the event."""
SUPPRESSED: Final = "suppressed_"
_UNSUBSCRIBE: Final = "unsubscribe"
_UNWELCOME: Final = frozenset({UNSUBSCRIBED, FILTERED, QUIET_HOURS})
_KINDS: Final = (SUPPRESSED, "preference_")
_STRENGTH: Final = ("bounce", "complaint", "manual", _UNSUBSCRIBE)


# Structs, not dataclasses: one or more of each is made for every recipient of a topic, at a fifth of the cost.
class Address(msgspec.Struct, frozen=True):
    """One endpoint of a recipient, as routing needs it."""

    endpoint_id: UUID
    url: str = ""
    event_types: Sequence[str] = ()
    """Filters; none means everything."""


class Target(msgspec.Struct, frozen=True):
    """A recipient with everything by which it can be reached: enabled endpoints by channel."""

    recipient_id: UUID
    external_id: str
    email: str | None
    endpoints: Mapping[str, tuple[Address, ...]] = {}
    preferences: Preferences = EMPTY
    timezone: str | None = None
    """None: the project's."""
    suppressions: frozenset[str] = frozenset()
    """Why the email address must not be written to: reasons of the suppression list."""
    name: str | None = None
    phone: str | None = None
    locale: str | None = None
    data: str = "{}"
    """JSON."""

    @property
    def person(self) -> dict[str, Any]:
        """The recipient as templates and conditions see it."""
        return {
            "id": self.external_id,
            "name": self.name,
            "email": self.email,
            "phone": self.phone,
            "locale": self.locale,
            "timezone": self.timezone,
            "data": msgspec.json.decode(self.data),
        }


class Way(msgspec.Struct, frozen=True):
    """One delivery to be made; with a `reason` it does not go out, and is recorded as suppressed or failed for that; or not
    yet, where it has a time."""

    channel: str
    endpoint_id: UUID | None = None
    address: str | None = None
    reason: str = ""
    level: str = DEFAULT
    """Whose preference decided; see `notifications/preferences/deciding.py`."""
    overruled: str = ""
    """Where that is `critical`: whose preference would have forbidden it."""
    not_before: datetime | None = None
    """When it may go; `reason` says why not now. None: now."""


def plan_ways(
    channels: Iterable[str],
    target: Target,
    *,
    category: str | None = None,
    critical: bool = False,
    event_type: str = event_types.DEFAULT,
    workflow: str | None = None,
    rules: Rules = NO_RULES,
    policy: Policy | None = None,
) -> list[Way]:
    """Every delivery that these channels mean for this recipient; at least one per channel.

    `policy` is what the sender asks for in quiet hours; None: as the recipient or the project says.
    """
    ways: list[Way] = []
    for channel in channels:
        decision = decide(
            channel,
            workflow=workflow,
            category=category,
            critical=critical,
            own=target.preferences,
            defaults=rules.defaults,
        )
        if decision.allowed:
            planned = _plan_channel(channel, target, critical, event_type)
            if quiet := quiet_of(channel, target, rules, critical=critical, policy=policy):
                planned = [_put_off(way, quiet, rules) for way in planned]
        else:
            planned = [Way(channel, address=target.email if channel == EMAIL else None, reason=decision.reason)]
        if decision.level != DEFAULT:
            planned = [replace(way, level=decision.level, overruled=decision.overruled) for way in planned]
        ways += planned
    return ways


def quiet_of(
    channel: str, target: Target, rules: Rules, *, critical: bool = False, policy: Policy | None = None
) -> Quiet | None:
    """The quiet hours that something over this channel has to keep; None where there are none."""
    own, defaults = target.preferences, rules.defaults
    if own.quiet_hours is None and defaults.quiet_hours is None:
        return None
    zone = target.timezone or rules.timezone
    return find_quiet(channel, timezone=zone, critical=critical, policy=policy, own=own, defaults=defaults)


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


def _put_off(way: Way, quiet: Quiet, rules: Rules) -> Way:
    """The way as quiet hours let it go."""
    until = quiet.until(rules.now)
    if way.reason or until is None:
        return way
    return replace(way, reason=QUIET_HOURS, not_before=None if quiet.drops else until)


def _plan_channel(channel: str, target: Target, critical: bool, event_type: str) -> list[Way]:
    if channel == IN_APP:
        return [Way(channel)]
    if channel == EMAIL:
        if not target.email:
            return [Way(channel, address=target.email, reason="no_email")]
        reason = suppression_reason(target.suppressions, critical=critical) if target.suppressions else ""
        return [Way(channel, address=target.email, reason=reason)]
    addresses = target.endpoints.get(channel, ())
    if not addresses:
        return [Way(channel, reason="no_endpoint")]
    wanting = [address for address in addresses if event_types.is_wanted(event_type, address.event_types)]
    if not wanting:
        return [Way(channel, reason=FILTERED)]
    return [Way(channel, endpoint_id=address.endpoint_id, address=address.url) for address in wanting]

"""Whether a channel may be used for somebody, and who said so. Pure.

The most specific entry wins: workflow before category before channel, an entry for this channel before one for all. At the same
specificity the recipient's own wins over the project's. Where nobody said anything it may. `critical` passes over everything.
"""

from dataclasses import dataclass
from typing import Final

from notifications.preferences.shapes import EMPTY, Cadence, Policy, Preferences, QuietHours, Switches

CRITICAL: Final = "critical"
DEFAULT: Final = "default"
UNSUBSCRIBED: Final = "unsubscribed"
OWN_LEVELS: Final = ("workflow", "category", "channel")
_PREFERENCE: Final = "preference_"
_PROJECT: Final = "project_"
FORBIDDING: Final = (*OWN_LEVELS, *(_PROJECT + level for level in OWN_LEVELS))
"""Every level at which something can be forbidden."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`level` names the entry that decided: `workflow`, `category`, `channel`, the same with `project_` before it for the
    project's own, `critical`, or `default` where there is none."""

    allowed: bool
    level: str
    overruled: str = ""
    """Where `critical` decided: the level that would have forbidden it; empty where none would have."""

    @property
    def reason(self) -> str:
        """A delivery's reason where it is not allowed; empty where it is."""
        if self.allowed:
            return ""
        # What the link in a mail does has its own, older name.
        return UNSUBSCRIBED if self.level == "category" else _PREFERENCE + self.level


_DEFAULT: Final = Decision(True, DEFAULT)
_CRITICAL: Final = Decision(True, CRITICAL)


def decide(
    channel: str,
    *,
    workflow: str | None = None,
    category: str | None = None,
    critical: bool = False,
    own: Preferences = EMPTY,
    defaults: Preferences = EMPTY,
) -> Decision:
    """Whether `channel` may be used for what this workflow of this category says."""
    found = _find(channel, workflow, category, own, defaults)
    if not critical:
        return found
    return _CRITICAL if found.allowed else Decision(True, CRITICAL, overruled=found.level)


def quiet_hours(channel: str, *, own: Preferences = EMPTY, defaults: Preferences = EMPTY) -> QuietHours | None:
    """The quiet hours that hold for `channel`: the recipient's own, even none at all, before the project's."""
    found = own.quiet_hours if own.quiet_hours is not None else defaults.quiet_hours
    return found if found is not None and found.hold_for(channel) else None


def quiet_policy(hours: QuietHours, *, critical: bool = False, asked: Policy | None = None) -> Policy:
    """What becomes of something in these hours: as the sender asks, or else as the hours say; critical breaks through."""
    if critical:
        return "break_through"
    return asked or hours.policy


def cadence(category: str | None, *, own: Preferences = EMPTY, defaults: Preferences = EMPTY) -> Cadence | None:
    """How often digests of this category go out; None: as the workflow says."""
    if category is None:
        return None
    return own.digests.get(category) or defaults.digests.get(category)


def _find(
    channel: str, workflow: str | None, category: str | None, own: Preferences, defaults: Preferences
) -> Decision:
    if own is EMPTY and defaults is EMPTY:
        return _DEFAULT
    if workflow is not None and (found := _ask("workflow", workflow, channel, own.workflows, defaults.workflows)):
        return found
    if category is not None and (found := _ask("category", category, channel, own.categories, defaults.categories)):
        return found
    if channel in own.channels:
        return Decision(own.channels[channel], "channel")
    if channel in defaults.channels:
        return Decision(defaults.channels[channel], _PROJECT + "channel")
    return _DEFAULT


def _ask(level: str, key: str, channel: str, own: Switches, defaults: Switches) -> Decision | None:
    """What is said of `key`: for this channel by either, or else for all channels by either."""
    said = ((own.get(key), level), (defaults.get(key), _PROJECT + level))
    for entry, name in said:
        if entry is not None and not isinstance(entry, bool) and channel in entry:
            return Decision(entry[channel], name)
    for entry, name in said:
        if isinstance(entry, bool):
            return Decision(entry, name)
    return None

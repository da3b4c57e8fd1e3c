"""What somebody wants, as it is decided by: the JSON of `parsing.py`, made quick to ask. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

Switches = Mapping[str, "bool | Mapping[str, bool]"]
"""Key of a category or workflow -> on or off, for all channels or by channel."""

Policy = Literal["defer", "digest", "drop", "break_through"]
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)
DEFER: Final[Policy] = "defer"

Interval = tuple[int, int]
"""Minutes since midnight of its day, [from, until); beyond 1440 it ends on the next day."""
Weekly = tuple[tuple[Interval, ...], ...]
"""The intervals of each day, Monday first."""

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When not to be disturbed, by the recipient's own clock, and what becomes of what would have come then."""

    weekly: Weekly
    policy: Policy = DEFER
    channels: frozenset[str] | None = None
    """On which channels; None: on all."""

    def hold_for(self, channel: str) -> bool:
        """Whether they mean this channel at all."""
        return any(self.weekly) and (self.channels is None or channel in self.channels)


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often digests of a category go out; `cron` is in the recipient's time zone, None: each thing at once."""

    cron: str | None


@dataclass(frozen=True, slots=True)
class Preferences:
    """One recipient's own, or what a project says for all of its recipients."""

    channels: Mapping[str, bool] = field(default_factory=dict)
    categories: Switches = field(default_factory=dict)
    workflows: Switches = field(default_factory=dict)
    quiet_hours: QuietHours | None = None
    digests: Mapping[str, Cadence] = field(default_factory=dict)


EMPTY: Final = Preferences()

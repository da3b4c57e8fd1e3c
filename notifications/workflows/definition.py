"""A workflow's definition as the engine walks it: frozen structs, made by `parsing.py` and nowhere else. Pure.

Durations are in seconds, texts are Liquid, conditions are JSON Logic as given (`conditions.compile_condition`, which remembers
what it compiled). A template stands in line (fields, or `{"locales": {...}}`) or is the key of a stored one.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from notifications.workflows.conditions import compile_condition

Template = str | Mapping[str, Any]
QuietHours = Literal["defer", "digest", "drop", "break_through"]
Until = Literal["sent", "delivered", "seen", "read"]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """When a digest closes; exactly one of `seconds`, `sliding_seconds` (then also `max_seconds`), `cron`, `rrule` is set."""

    seconds: float | None = None
    sliding_seconds: float | None = None
    max_seconds: float | None = None
    cron: str | None = None
    rrule: str | None = None
    timezone: str | None = None  # with `cron` and `rrule`: an IANA name, or "recipient"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What all steps have. Where the condition does not hold, the step is skipped."""

    key: str
    condition: Mapping[str, Any] | None = None

    def needs(self, root: str) -> bool:
        """Whether the condition reads `steps` or `presence` or another of `conditions.ROOTS`, which then must be among the facts."""
        return self.condition is not None and compile_condition(self.condition).needs(root)


class ChannelStep(Step, frozen=True, kw_only=True, tag="channel"):
    """Say something on one channel."""

    channel: str
    template: Template
    quiet_hours: QuietHours | None = None  # None: what the recipient prefers


class DelayStep(Step, frozen=True, kw_only=True, tag="delay"):
    """Wait for so long, or until the time that a text gives (RFC 3339). Exactly one is set."""

    seconds: float | None = None
    until: str | None = None


class ConditionStep(Step, frozen=True, kw_only=True, tag="condition"):
    """Where the condition does not hold, go on at a later step; without one the run ends."""

    otherwise: str | None = None


class DigestStep(Step, frozen=True, kw_only=True, tag="digest"):
    """Collect what arrives under one key until the window closes; the steps after it run once for all of it."""

    digest_key: str
    window: Window
    first_at_once: bool
    max_items: int
    order: Literal["oldest_first", "newest_first"]
    skip_if_empty: bool


class ThrottleStep(Step, frozen=True, kw_only=True, tag="throttle"):
    """Let so many pass under one key in a sliding window; the rest waits or ends here."""

    throttle_key: str
    limit: int
    window_seconds: float
    on_limit: Literal["defer", "drop"]


class FallbackStep(Step, frozen=True, kw_only=True, tag="fallback"):
    """One channel after the other, until one reached the recipient."""

    channels: tuple[str, ...]
    until: Until
    wait_seconds: float
    templates: Mapping[str, Template]  # one for each channel


class EscalateStep(Step, frozen=True, kw_only=True, tag="escalate"):
    """Tell the recipients `to`, again and again, until somebody acknowledges."""

    to: tuple[str, ...]
    channels: tuple[str, ...]
    every_seconds: float
    times: int
    until: Literal["acknowledged"]
    templates: Mapping[str, Template]  # one for each channel


AnyStep = ChannelStep | DelayStep | ConditionStep | DigestStep | ThrottleStep | FallbackStep | EscalateStep


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a workflow."""

    name: str
    category: str | None
    critical: bool
    schema: Mapping[str, Any] | None
    steps: tuple[AnyStep, ...]

    def position(self, key: str) -> int | None:
        """Where the step with this key stands; None when there is none."""
        return next((index for index, step in enumerate(self.steps) if step.key == key), None)

    @property
    def channels(self) -> frozenset[str]:
        """Every channel that any step may use."""
        used: set[str] = set()
        for step in self.steps:
            if isinstance(step, ChannelStep):
                used.add(step.channel)
            elif isinstance(step, FallbackStep | EscalateStep):
                used.update(step.channels)
        return frozenset(used)

    def needs(self, root: str) -> bool:
        """Whether any condition reads this root."""
        return any(step.needs(root) for step in self.steps)

"""Reading one step with those before it in mind: what is shared by all types of steps. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from notifications import texts
from notifications.errors import Fault
from notifications.templating.validation import validate_line, validate_template
from notifications.workflows import shapes
from notifications.workflows.conditions import ROOTS, ConditionError, compile_condition
from notifications.workflows.definition import AnyStep, ChannelStep, Template
from notifications.workflows.window import check_duration

STEP_FACTS: Final = frozenset({"state", "sent", "delivered", "seen", "read", "skipped", "acknowledged"})
"""What a condition may ask of an earlier step."""


@dataclass(slots=True)
class Ledger:
    """The steps so far, and what is wrong with them. Faults name the step that is being read."""

    channels: frozenset[str] | None  # None: what was checked before is read again
    steps: list[AnyStep] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)  # of every key, also of steps at fault
    jumps: list[tuple[str, str, str]] = field(default_factory=list)  # (from, to, pointer)
    key: str = ""

    def fault(self, pointer: str, detail: str) -> None:
        """Something is wrong with the step that is being read."""
        self.faults.append(Fault(pointer, f"Step {texts.printable(self.key)!r}: {detail}" if self.key else detail))

    def is_channel(self, name: str) -> bool:
        """Whether there is such a channel."""
        return self.channels is None or name in self.channels

    def read_condition(self, given: shapes.StepIn, pointer: str) -> None:
        """Check the step's `if`."""
        if given.if_ is None:
            return
        try:
            condition = compile_condition(given.if_)
        except ConditionError as error:
            self.fault(f"{pointer}/if{error.pointer}", error.detail)
            return
        for path in condition.variables:
            if detail := self._unknown(path):
                self.fault(f"{pointer}/if", f"{texts.printable('.'.join(path))} {detail}")

    def _unknown(self, path: Sequence[str]) -> str | None:
        if path[0] not in ROOTS:
            return f"is unknown; conditions see {', '.join(ROOTS)}."
        if path[0] == "steps" and len(path) > 1 and path[1] not in self.positions:
            return "is not about an earlier step."
        if path[0] == "steps" and len(path) > 2 and path[2] not in STEP_FACTS:
            return f"is unknown; steps have {', '.join(sorted(STEP_FACTS))}."
        return None

    def read_duration(self, value: timedelta, pointer: str) -> float:
        """So many seconds."""
        if detail := check_duration(value):
            self.fault(pointer, detail)
        return value.total_seconds()

    def read_template(self, template: Any, channel: str, pointer: str) -> Template:
        """The template, as given."""
        if self.channels is not None:
            for fault in validate_template(template, channel):
                self.fault(pointer + fault.pointer, fault.detail)
        checked: Template = template
        return checked

    def read_line(self, line: str, pointer: str) -> str:
        """One line of Liquid, as given."""
        if self.channels is not None:
            for fault in validate_line(line):
                self.fault(pointer, fault.detail)
        return line

    def read_channels(self, names: list[str], pointer: str) -> tuple[str, ...]:
        """Channels, each once."""
        for index, name in enumerate(names):
            if not self.is_channel(name):
                known = ", ".join(sorted(self.channels or ()))
                self.fault(f"{pointer}/{index}", f"No such channel; there are {known}.")
            elif name in names[:index]:
                self.fault(f"{pointer}/{index}", "Named twice.")
        return tuple(names)

    def read_templates(
        self, given: shapes.FallbackStepIn | shapes.EscalateStepIn, names: tuple[str, ...], pointer: str
    ) -> dict[str, Template]:
        """What to say on each channel: its own, the step's, or what was said before."""
        for channel in sorted(set(given.templates) - set(names)):
            self.fault(f"{pointer}/templates/{texts.escape_pointer(channel)}", "The step does not use this channel.")
        chosen: dict[str, Template] = {}
        for channel in names:
            if channel in given.templates:
                at = f"{pointer}/templates/{texts.escape_pointer(channel)}"
                chosen[channel] = self.read_template(given.templates[channel], channel, at)
            elif given.template is not None:
                chosen[channel] = self.read_template(given.template, channel, f"{pointer}/template")
            elif before := self._said_before(channel):
                chosen[channel] = before.template
            else:
                self.fault(f"{pointer}/template", "Needs a template, for no step before says anything.")
                break
        return chosen

    def said(self) -> list[ChannelStep]:
        """The channel steps so far."""
        return [step for step in self.steps if isinstance(step, ChannelStep)]

    def _said_before(self, channel: str) -> ChannelStep | None:
        said = self.said()
        before = [step for step in said if step.channel == channel] or said
        return before[-1] if before else None

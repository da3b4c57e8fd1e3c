"""A workflow as JSON -> `Definition`, or everything that is wrong with it, each with the step's key and the reason. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from notifications import texts
from notifications.decoding import convert
from notifications.errors import Fault, Invalid
from notifications.workflows import shapes
from notifications.workflows.conditions import ROOTS, ConditionError, compile_condition
from notifications.workflows.data_schema import DataSchema, SchemaError
from notifications.workflows.definition import (
    AnyStep,
    ChannelStep,
    ConditionStep,
    Definition,
    DelayStep,
    DigestStep,
    EscalateStep,
    FallbackStep,
    Template,
    ThrottleStep,
)
from notifications.workflows.template_checks import TemplateCheck, check_template
from notifications.workflows.window import LONGEST, check_duration, parse_window

STEP_FACTS = frozenset({"state", "sent", "delivered", "seen", "read", "skipped", "acknowledged"})


def parse_definition(
    raw: Any, *, channels: frozenset[str] | None, check_template: TemplateCheck = check_template
) -> Definition:
    """Check one decoded definition. Raises `Invalid`.

    With `channels=None` any channel will do: for what was checked when it was saved.
    """
    given = convert(raw, shapes.WorkflowIn)
    faults: list[Fault] = []
    for pointer, check, value in (
        ("/name", texts.check_line, given.name),
        ("/category", texts.check_key, given.category),
    ):
        try:
            if value is not None:
                check(value)
        except ValueError as error:
            faults.append(Fault(pointer, str(error)))
    if given.schema is not None:
        try:
            DataSchema(given.schema)
        except SchemaError as error:
            faults.append(Fault(f"/schema{error.pointer}", error.detail))
    parser = _Parser(channels, check_template)
    for index, step in enumerate(given.steps):
        parser.add(step, f"/steps/{index}")
    faults += parser.finish()
    if faults:
        raise Invalid(faults)
    return Definition(
        name=given.name,
        category=given.category,
        critical=given.critical,
        schema=given.schema,
        steps=tuple(parser.steps),
    )


@dataclass(slots=True)
class _Parser:
    """Goes through the steps in order, so that each can be checked against those before it."""

    channels: frozenset[str] | None
    check_template: TemplateCheck
    steps: list[AnyStep] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _keys: dict[str, int] = field(default_factory=dict)  # of every step so far, also of those at fault
    _jumps: list[tuple[str, str, str]] = field(default_factory=list)  # (from, to, pointer)
    _key: str = ""

    def add(self, raw: Mapping[str, Any], pointer: str) -> None:
        """One more step."""
        key, kind = raw.get("key"), raw.get("type")
        self._key = key if isinstance(key, str) else ""
        shape = shapes.OTHER_STEPS.get(kind) if isinstance(kind, str) else None
        if shape is None and isinstance(kind, str) and not self._is_channel(kind):
            known = ", ".join([*sorted(self.channels or ()), *shapes.OTHER_STEPS])
            self._fault(f"{pointer}/type", f"No such type of step; there are {known}.")
        else:
            try:
                given = convert(raw, shape or shapes.ChannelStepIn, pointer)
                self._condition(given, pointer)
                self.steps.append(_BUILD[type(given)](self, given, pointer))
            except Invalid as error:
                for fault in error.faults:
                    self._fault(fault.pointer, fault.detail)
        if self._key in self._keys:
            self._fault(f"{pointer}/key", "Another step has this key.")
        self._keys.setdefault(self._key, len(self._keys))

    def finish(self) -> list[Fault]:
        """Everything that was wrong."""
        for origin, target, pointer in self._jumps:
            self._key = origin
            if target not in self._keys:
                self._fault(pointer, "No step has this key.")
            elif self._keys[target] <= self._keys[origin]:
                self._fault(pointer, "Must be a later step.")
        return self._faults

    def _fault(self, pointer: str, detail: str) -> None:
        self._faults.append(Fault(pointer, f"Step {texts.printable(self._key)!r}: {detail}" if self._key else detail))

    def _is_channel(self, name: str) -> bool:
        return self.channels is None or name in self.channels

    def _condition(self, given: shapes.StepIn, pointer: str) -> None:
        if given.if_ is None:
            return
        try:
            condition = compile_condition(given.if_)
        except ConditionError as error:
            self._fault(f"{pointer}/if{error.pointer}", error.detail)
            return
        for path in condition.variables:
            name = ".".join(path)
            if path[0] not in ROOTS:
                self._fault(f"{pointer}/if", f"{texts.printable(name)} is unknown; conditions see {', '.join(ROOTS)}.")
            elif path[0] == "steps" and len(path) > 1 and path[1] not in self._keys:
                self._fault(f"{pointer}/if", f"{texts.printable(name)} is not about an earlier step.")
            elif path[0] == "steps" and len(path) > 2 and path[2] not in STEP_FACTS:
                self._fault(
                    f"{pointer}/if", f"{texts.printable(name)} is unknown; steps have {', '.join(sorted(STEP_FACTS))}."
                )

    def _duration(self, value: timedelta, pointer: str) -> float:
        if detail := check_duration(value):
            self._fault(pointer, detail)
        return value.total_seconds()

    def _template(self, template: Any, channel: str, pointer: str) -> Template:
        for fault in self.check_template(template, channel):
            self._fault(pointer + fault.pointer, fault.detail)
        checked: Template = template
        return checked

    def _channels(self, names: list[str], pointer: str) -> tuple[str, ...]:
        for index, name in enumerate(names):
            if not self._is_channel(name):
                known = ", ".join(sorted(self.channels or ()))
                self._fault(f"{pointer}/{index}", f"No such channel; there are {known}.")
            elif name in names[:index]:
                self._fault(f"{pointer}/{index}", "Named twice.")
        return tuple(names)

    def _templates(
        self, given: shapes.FallbackStepIn | shapes.EscalateStepIn, names: tuple[str, ...], pointer: str
    ) -> dict[str, Template]:
        """What to say on each channel: its own, the step's, or what was said before."""
        for channel in sorted(set(given.templates) - set(names)):
            self._fault(f"{pointer}/templates/{texts.escape_pointer(channel)}", "The step does not use this channel.")
        chosen: dict[str, Template] = {}
        for channel in names:
            if channel in given.templates:
                at = f"{pointer}/templates/{texts.escape_pointer(channel)}"
                chosen[channel] = self._template(given.templates[channel], channel, at)
            elif given.template is not None:
                chosen[channel] = self._template(given.template, channel, f"{pointer}/template")
            else:
                said = [step for step in self.steps if isinstance(step, ChannelStep)]
                before = [step for step in said if step.channel == channel] or said
                if not before:
                    self._fault(f"{pointer}/template", "Needs a template, for no step before says anything.")
                    return chosen
                chosen[channel] = before[-1].template
        return chosen

    def channel(self, given: shapes.ChannelStepIn, pointer: str) -> ChannelStep:
        return ChannelStep(
            key=given.key,
            condition=given.if_,
            channel=given.type,
            template=self._template(given.template, given.type, f"{pointer}/template"),
            quiet_hours=given.quiet_hours,
        )

    def delay(self, given: shapes.DelayStepIn, pointer: str) -> DelayStep:
        if (given.for_ is None) == (given.until is None):
            self._fault(pointer, "Needs exactly one of for and until.")
        seconds = None if given.for_ is None else self._duration(given.for_, f"{pointer}/for")
        return DelayStep(key=given.key, condition=given.if_, seconds=seconds, until=given.until)

    def condition(self, given: shapes.ConditionStepIn, pointer: str) -> ConditionStep:
        if given.if_ is None:
            self._fault(f"{pointer}/if", "Needs a condition.")
        if given.else_ is not None:
            self._jumps.append((given.key, given.else_, f"{pointer}/else"))
        return ConditionStep(key=given.key, condition=given.if_, otherwise=given.else_)

    def digest(self, given: shapes.DigestStepIn, pointer: str) -> DigestStep:
        window, faults = parse_window(given.window, f"{pointer}/window")
        for fault in faults:
            self._fault(fault.pointer, fault.detail)
        return DigestStep(
            key=given.key,
            condition=given.if_,
            digest_key=given.digest_key,
            window=window,
            first_at_once=given.first_at_once,
            max_items=given.max_items,
            order=given.order,
            skip_if_empty=given.skip_if_empty,
        )

    def throttle(self, given: shapes.ThrottleStepIn, pointer: str) -> ThrottleStep:
        return ThrottleStep(
            key=given.key,
            condition=given.if_,
            throttle_key=given.throttle_key,
            limit=given.limit,
            window_seconds=self._duration(given.window, f"{pointer}/window"),
            on_limit=given.on_limit,
        )

    def fallback(self, given: shapes.FallbackStepIn, pointer: str) -> FallbackStep:
        names = self._channels(given.channels, f"{pointer}/channels")
        return FallbackStep(
            key=given.key,
            condition=given.if_,
            channels=names,
            until=given.until,
            wait_seconds=self._duration(given.wait, f"{pointer}/wait"),
            templates=self._templates(given, names, pointer),
        )

    def escalate(self, given: shapes.EscalateStepIn, pointer: str) -> EscalateStep:
        for index, recipient in enumerate(given.to):
            try:
                texts.check_external_id(recipient)
            except ValueError as error:
                self._fault(f"{pointer}/to/{index}", str(error))
            if recipient in given.to[:index]:
                self._fault(f"{pointer}/to/{index}", "Named twice.")
        names = self._channels(given.channels, f"{pointer}/channels") if given.channels else self._used(pointer)
        if given.every * given.times > LONGEST:
            self._fault(f"{pointer}/every", "Must not go on for more than 400 days in all.")
        return EscalateStep(
            key=given.key,
            condition=given.if_,
            to=tuple(given.to),
            channels=names,
            every_seconds=self._duration(given.every, f"{pointer}/every"),
            times=given.times,
            until=given.until,
            templates=self._templates(given, names, pointer) if names else {},
        )

    def _used(self, pointer: str) -> tuple[str, ...]:
        used = dict.fromkeys(step.channel for step in self.steps if isinstance(step, ChannelStep))
        if not used:
            self._fault(f"{pointer}/channels", "Needs channels, for no step before uses one.")
        return tuple(used)


_BUILD: dict[type[shapes.StepIn], Callable[[_Parser, Any, str], AnyStep]] = {
    shapes.ChannelStepIn: _Parser.channel,
    shapes.DelayStepIn: _Parser.delay,
    shapes.ConditionStepIn: _Parser.condition,
    shapes.DigestStepIn: _Parser.digest,
    shapes.ThrottleStepIn: _Parser.throttle,
    shapes.FallbackStepIn: _Parser.fallback,
    shapes.EscalateStepIn: _Parser.escalate,
}

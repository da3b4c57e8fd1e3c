"""From a step's shape to the step, one function per type. Pure."""

from collections.abc import Callable
from typing import Any, Final

from notifications import texts
from notifications.workflows import shapes
from notifications.workflows.definition import (
    AnyStep,
    ChannelStep,
    ConditionStep,
    DelayStep,
    DigestStep,
    EscalateStep,
    FallbackStep,
    ThrottleStep,
)
from notifications.workflows.ledger import Ledger
from notifications.workflows.window import LONGEST, parse_window


def build_step(book: Ledger, given: shapes.StepIn, pointer: str) -> AnyStep:
    """The step; what is wrong with it goes into the book."""
    book.read_condition(given, pointer)
    return _BUILD[type(given)](book, given, pointer)


def _channel(book: Ledger, given: shapes.ChannelStepIn, pointer: str) -> ChannelStep:
    return ChannelStep(
        key=given.key,
        condition=given.if_,
        channel=given.type,
        template=book.read_template(given.template, given.type, f"{pointer}/template"),
        quiet_hours=given.quiet_hours,
    )


def _delay(book: Ledger, given: shapes.DelayStepIn, pointer: str) -> DelayStep:
    if (given.for_ is None) == (given.until is None):
        book.fault(pointer, "Needs exactly one of for and until.")
    seconds = None if given.for_ is None else book.read_duration(given.for_, f"{pointer}/for")
    until = None if given.until is None else book.read_line(given.until, f"{pointer}/until")
    return DelayStep(key=given.key, condition=given.if_, seconds=seconds, until=until)


def _condition(book: Ledger, given: shapes.ConditionStepIn, pointer: str) -> ConditionStep:
    if given.if_ is None:
        book.fault(f"{pointer}/if", "Needs a condition.")
    if given.else_ is not None:
        book.jumps.append((given.key, given.else_, f"{pointer}/else"))
    return ConditionStep(key=given.key, condition=given.if_, otherwise=given.else_)


def _digest(book: Ledger, given: shapes.DigestStepIn, pointer: str) -> DigestStep:
    window, faults = parse_window(given.window, f"{pointer}/window")
    for fault in faults:
        book.fault(fault.pointer, fault.detail)
    return DigestStep(
        key=given.key,
        condition=given.if_,
        digest_key=book.read_line(given.digest_key, f"{pointer}/digest_key"),
        window=window,
        first_at_once=given.first_at_once,
        max_items=given.max_items,
        order=given.order,
        skip_if_empty=given.skip_if_empty,
    )


def _throttle(book: Ledger, given: shapes.ThrottleStepIn, pointer: str) -> ThrottleStep:
    return ThrottleStep(
        key=given.key,
        condition=given.if_,
        throttle_key=book.read_line(given.throttle_key, f"{pointer}/throttle_key"),
        limit=given.limit,
        window_seconds=book.read_duration(given.window, f"{pointer}/window"),
        on_limit=given.on_limit,
    )


def _fallback(book: Ledger, given: shapes.FallbackStepIn, pointer: str) -> FallbackStep:
    names = book.read_channels(given.channels, f"{pointer}/channels")
    return FallbackStep(
        key=given.key,
        condition=given.if_,
        channels=names,
        until=given.until,
        wait_seconds=book.read_duration(given.wait, f"{pointer}/wait"),
        templates=book.read_templates(given, names, pointer),
    )


def _escalate(book: Ledger, given: shapes.EscalateStepIn, pointer: str) -> EscalateStep:
    if not given.to and book.channels is not None:
        book.fault(f"{pointer}/to", "Names nobody.")
    for index, recipient in enumerate(given.to):
        try:
            texts.check_external_id(recipient)
        except ValueError as error:
            book.fault(f"{pointer}/to/{index}", str(error))
        if recipient in given.to[:index]:
            book.fault(f"{pointer}/to/{index}", "Named twice.")
    names = book.read_channels(given.channels, f"{pointer}/channels") if given.channels else _used(book, pointer)
    if given.every * given.times > LONGEST:
        book.fault(f"{pointer}/every", "Must not go on for more than 400 days in all.")
    return EscalateStep(
        key=given.key,
        condition=given.if_,
        to=tuple(given.to),
        channels=names,
        every_seconds=book.read_duration(given.every, f"{pointer}/every"),
        times=given.times,
        until=given.until,
        templates=book.read_templates(given, names, pointer) if names else {},
    )


def _used(book: Ledger, pointer: str) -> tuple[str, ...]:
    used = dict.fromkeys(step.channel for step in book.said())
    if not used:
        book.fault(f"{pointer}/channels", "Needs channels, for no step before uses one.")
    return tuple(used)


_BUILD: Final[dict[type[shapes.StepIn], Callable[[Ledger, Any, str], AnyStep]]] = {
    shapes.ChannelStepIn: _channel,
    shapes.DelayStepIn: _delay,
    shapes.ConditionStepIn: _condition,
    shapes.DigestStepIn: _digest,
    shapes.ThrottleStepIn: _throttle,
    shapes.FallbackStepIn: _fallback,
    shapes.EscalateStepIn: _escalate,
}

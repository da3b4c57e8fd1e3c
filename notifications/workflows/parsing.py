"""A workflow as JSON -> `Definition`, or everything that is wrong with it, each with the step's key and the reason. Pure."""

from collections.abc import Mapping
from typing import Any

from notifications import texts
from notifications.decoding import convert
from notifications.errors import Fault, Invalid
from notifications.workflows import shapes
from notifications.workflows.data_schema import DataSchema, SchemaError
from notifications.workflows.definition import Definition
from notifications.workflows.ledger import Ledger
from notifications.workflows.steps import build_step


def parse_definition(raw: Any, *, channels: frozenset[str] | None) -> Definition:
    """Check one decoded definition. Raises `Invalid`.

    With `channels=None` any channel will do, and texts are taken as they are: for what was checked when it was saved.
    """
    given = convert(raw, shapes.WorkflowIn)
    faults = _check_head(given)
    book = Ledger(channels)
    for index, step in enumerate(given.steps):
        _read_step(book, step, f"/steps/{index}")
    _check_jumps(book)
    if faults := [*faults, *book.faults]:
        raise Invalid(faults)
    return Definition(
        name=given.name,
        category=given.category,
        critical=given.critical,
        schema=given.schema,
        steps=tuple(book.steps),
    )


def _check_head(given: shapes.WorkflowIn) -> list[Fault]:
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
    try:
        if given.schema is not None:
            DataSchema(given.schema)
    except SchemaError as error:
        faults.append(Fault(f"/schema{error.pointer}", error.detail))
    return faults


def _read_step(book: Ledger, raw: Mapping[str, Any], pointer: str) -> None:
    key, kind = raw.get("key"), raw.get("type")
    book.key = key if isinstance(key, str) else ""
    shape = shapes.OTHER_STEPS.get(kind) if isinstance(kind, str) else None
    if shape is None and isinstance(kind, str) and not book.is_channel(kind):
        known = ", ".join([*sorted(book.channels or ()), *shapes.OTHER_STEPS])
        book.fault(f"{pointer}/type", f"No such type of step; there are {known}.")
    else:
        try:
            given: shapes.StepIn = convert(raw, shape or shapes.ChannelStepIn, pointer)
            book.steps.append(build_step(book, given, pointer))
        except Invalid as error:
            for fault in error.faults:
                book.fault(fault.pointer, fault.detail)
    if book.key and book.key in book.positions:
        book.fault(f"{pointer}/key", "Another step has this key.")
    book.positions.setdefault(book.key, len(book.positions))


def _check_jumps(book: Ledger) -> None:
    for origin, target, pointer in book.jumps:
        book.key = origin
        if target not in book.positions:
            book.fault(pointer, "No step has this key.")
        elif book.positions[target] <= book.positions[origin]:
            book.fault(pointer, "Must be a later step.")

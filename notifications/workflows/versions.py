"""Published versions as they are walked and checked against, parsed once per process.

A version never changes once it was published, but that people who are erased leave it: whom to call is read from its row.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import msgspec

from notifications.workflows.conditions import ROOTS, Condition, compile_condition
from notifications.workflows.data_schema import DataSchema
from notifications.workflows.definition import Definition
from notifications.workflows.parsing import parse_definition

_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a workflow, ready for use."""

    id: UUID
    workflow_id: UUID
    key: str  # the workflow's
    number: int
    definition: Definition
    data_schema: DataSchema | None
    conditions: tuple[Condition | None, ...] = field(init=False, compare=False)
    """By step; None: it has none."""
    reads: tuple[frozenset[str], ...] = field(init=False, compare=False)
    """By step: the roots of facts that its condition reads."""
    facts: Mapping[str, Any] = field(init=False, compare=False)
    """`workflow`, as templates and conditions see it."""

    def __post_init__(self) -> None:
        steps = self.definition.steps
        rules = tuple(None if step.condition is None else compile_condition(step.condition) for step in steps)
        reads = tuple(frozenset(root for root in ROOTS if rule and rule.needs(root)) for rule in rules)
        object.__setattr__(self, "conditions", rules)
        object.__setattr__(self, "reads", reads)
        object.__setattr__(self, "facts", {"key": self.key, "name": self.definition.name})


_known: OrderedDict[UUID, Version] = OrderedDict()


def known_version(version_id: UUID) -> Version | None:
    """The version, if this process has read it lately."""
    found = _known.get(version_id)
    if found is not None:
        _known.move_to_end(version_id)
    return found


def learn_version(version_id: UUID, workflow_id: UUID, key: str, number: int, definition: str | Any) -> Version:
    """The version from what is stored, remembered. `definition` is JSON, decoded or not.

    Raises `Invalid` when an older release stored what this one cannot read.
    """
    raw = msgspec.json.decode(definition) if isinstance(definition, str) else definition
    parsed = parse_definition(raw, channels=None)
    schema = None if parsed.schema is None else DataSchema(parsed.schema)
    version = _known[version_id] = Version(version_id, workflow_id, key, number, parsed, schema)
    while len(_known) > _MOST:
        _known.popitem(last=False)
    return version

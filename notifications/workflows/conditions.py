"""Conditions of workflows: JSON Logic, compiled once, evaluated within a budget. Pure.

A condition sees `data`, `recipient`, `actor`, `category`, `workflow`, `presence` and `steps`. Where it cannot be evaluated (a sum of
words, a thrown error, more work than the budget allows) it does not hold, and the verdict says why. Operators that read a clock
are refused: what a run decides must be repeatable.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from datalogic_py import DataLogicError, Engine, Rule

_FAMILIES: Final = ("Core", "DateTime", "ExtString", "ExtArray", "ExtObject", "ExtControl", "ErrorHandling", "ExtMath")
_BUDGET: Final = 100_000  # operations; milliseconds
_LONGEST_VALUE: Final = 100
_ENGINE: Final = Engine(families=_FAMILIES)
_encode: Final = msgspec.json.Encoder(order="sorted").encode

ROOTS: Final = ("data", "recipient", "actor", "category", "workflow", "presence", "steps")


class ConditionError(ValueError):
    """The rule cannot be compiled; `pointer` is a JSON Pointer into it."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition held; `error` where it could not be evaluated, which counts as not."""

    holds: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled rule. May be shared between threads."""

    rule: Any
    variables: tuple[tuple[str, ...], ...]  # the paths it reads: ("steps", "bell", "seen")
    reads_anything: bool  # paths are computed, or the whole context is read
    _compiled: Rule

    def evaluate(self, facts: Mapping[str, Any]) -> Verdict:
        """Whether it holds for `facts`, plain JSON under the names of `ROOTS`. What is missing is null."""
        try:
            result, _ = self._compiled.evaluate_metered(facts, _BUDGET)
        except DataLogicError as error:
            return Verdict(holds=False, error=str(error))
        return Verdict(holds=_ENGINE.truthy(result))

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """`evaluate` without the why."""
        return self.evaluate(facts).holds

    def values(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """What its variables are in `facts`, by their paths: plain values as they are, long texts cut, lists and objects left out."""
        found = {".".join(path): _look_up(path, facts) for path in self.variables}
        return {name: value for name, value in found.items() if not isinstance(value, list | dict)}

    def needs(self, root: str) -> bool:
        """Whether `root` has to be among the facts."""
        return self.reads_anything or any(path[0] == root for path in self.variables)


def compile_condition(rule: Any) -> Condition:
    """The rule, ready to be evaluated; equal rules are compiled once. Raises `ConditionError`."""
    return _compile(_encode(rule))


@functools.lru_cache(maxsize=4096)
def _compile(encoded: bytes) -> Condition:
    rule = msgspec.json.decode(encoded)
    for found in _ENGINE.check(rule):
        if found["severity"] == "error":
            raise ConditionError(found["pointer"], _sentence(found["message"]))
    try:
        compiled = _ENGINE.compile(rule)
    except DataLogicError as error:
        raise ConditionError("", _sentence(str(error))) from error
    facts = compiled.facts()
    if not facts["deterministic"]:
        raise ConditionError("", "Conditions cannot read the clock; put the time into `data`.")
    paths = sorted({tuple(path) for path in facts["reads"]})
    return Condition(
        rule=rule,
        variables=tuple(path for path in paths if path),
        reads_anything=not facts["reads_complete"] or facts["computed_reads"] or () in paths,
        _compiled=compiled,
    )


def _look_up(path: tuple[str, ...], facts: Mapping[str, Any]) -> Any:
    value: Any = facts
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value[:_LONGEST_VALUE] if isinstance(value, str) else value


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."

"""JSON Logic as one reads it: `{"!": {"var": "steps.bell.seen"}}` is `not steps.bell.seen`. Pure."""

import json
from typing import Any, Final

_BETWEEN: Final = {
    "==": "is",
    "===": "is",
    "!=": "is not",
    "!==": "is not",
    ">": ">",
    ">=": "≥",
    "<": "<",
    "<=": "≤",
    "and": "and",
    "or": "or",
    "in": "in",
    "+": "+",
    "-": "-",
    "*": "×",
    "/": "÷",
    "%": "mod",
}
_BEFORE: Final = {"!": "not", "!!": ""}


def words(rule: Any) -> str:
    """The whole rule."""
    return _say(rule, inner=False)


def _say(rule: Any, *, inner: bool = True) -> str:
    if not isinstance(rule, dict) or len(rule) != 1:
        return json.dumps(rule, ensure_ascii=False)
    (operator, given), *_ = rule.items()
    arguments = given if isinstance(given, list) else [given]
    if operator in ("var", "val"):
        return ".".join(str(part) for part in arguments[: 1 if operator == "var" else None]) or "everything"
    if operator in _BEFORE and len(arguments) == 1:
        return f"{_BEFORE[operator]} {_say(arguments[0])}".strip()
    if operator in _BETWEEN and len(arguments) > 1:
        said = f" {_BETWEEN[operator]} ".join(_say(argument) for argument in arguments)
        return f"({said})" if inner else said
    return f"{operator}({', '.join(_say(argument, inner=False) for argument in arguments)})"

"""JSON Schema of a workflow's `data`: compiled once per version, nothing is ever fetched. Pure.

Whoever may save a workflow must not be able to make accepting slow: patterns run in linear time, references stay inside the
document and do not recurse, and all of them followed give a schema of bounded size.
"""

from collections.abc import Mapping
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from notifications import texts
from notifications.errors import Fault

_LARGEST: Final = 2000  # subschemas, references followed
_MOST_FAULTS: Final = 20
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_UNSUPPORTED: Final = frozenset(
    {"$schema", "$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$vocabulary"}
)


class SchemaError(ValueError):
    """No usable schema; `pointer` is a JSON Pointer into it."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


class DataSchema:
    """A compiled schema. May be shared between threads."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raises `SchemaError`."""
        _Extent(schema).measure(schema, "", ())
        try:
            self._validator = Draft202012Validator(
                dict(schema), offline=True, validate_formats=True, pattern_options=RegexOptions()
            )
        except (ValidationError, ValueError) as error:
            raise SchemaError(_join(getattr(error, "instance_path", ())), _line(str(error))) from error

    def check(self, data: Mapping[str, Any], pointer: str = "/data") -> list[Fault]:
        """What is wrong with `data`; the first 20 faults."""
        faults: list[Fault] = []
        for error in self._validator.iter_errors(data):
            faults.append(Fault(pointer + _join(error.instance_path), _line(error.message)))
            if len(faults) == _MOST_FAULTS:
                break
        return faults


class _Extent:
    """Counts what a validator may have to visit, following references."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._counts: dict[int, int] = {}

    def measure(self, node: Any, pointer: str, following: tuple[str, ...]) -> int:
        """How many subschemas there are in and behind `node`. Raises `SchemaError` for a bad reference or too many."""
        if not isinstance(node, dict | list):
            return 0
        if id(node) in self._counts:
            return self._counts[id(node)]
        items = node.items() if isinstance(node, dict) else enumerate(node)
        count = 1
        for name, child in items:
            at = f"{pointer}/{texts.escape_pointer(str(name))}"
            if name in _UNSUPPORTED and isinstance(child, str) and child != _DIALECT:
                raise SchemaError(at, f"Not supported; schemas follow {_DIALECT}.")
            if name == "$ref" and isinstance(child, str):
                count += self._follow(child, at, following)
            else:
                count += self.measure(child, at, following)
            if count > _LARGEST:
                raise SchemaError(pointer, f"More than {_LARGEST} subschemas, references followed.")
        self._counts[id(node)] = count
        return count

    def _follow(self, reference: str, pointer: str, following: tuple[str, ...]) -> int:
        if not reference.startswith("#/"):
            raise SchemaError(pointer, "Only references within the schema, such as #/$defs/address.")
        if reference in following:
            raise SchemaError(pointer, "References must not lead back to themselves.")
        target: Any = self._document
        for token in reference[2:].split("/"):
            name = token.replace("~1", "/").replace("~0", "~")
            try:
                target = target[int(name)] if isinstance(target, list) else target[name]
            except (KeyError, IndexError, ValueError, TypeError) as error:
                raise SchemaError(pointer, "Refers to nothing.") from error
        return self.measure(target, reference[1:], (*following, reference))


def _join(path: Any) -> str:
    return "".join(f"/{texts.escape_pointer(str(part))}" for part in path)


def _line(message: str) -> str:
    first = message.splitlines()[0] if message else "Not valid"
    return f"{first[:300].rstrip('.')}."
